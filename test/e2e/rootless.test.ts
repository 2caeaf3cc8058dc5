import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CliUser, pod, policy, service, serving, useLab } from './cli-fixture.ts';

const PORTS = [
  { name: 'http', port: 80, targetPort: 8080 },
  { name: 'echo', port: 53, targetPort: 5353, protocol: 'UDP' },
];

const MANIFESTS = [
  pod('client'),
  pod('web', { containers: [serving('8080/TCP', '5353/UDP')] }),
  service('web', { ports: PORTS }),
  // Not nc: it takes one connection at a time, and the matrix makes several.
  pod('command', {
    containers: [
      { name: 'main', image: 'node', command: ['node', '-e', 'require("net").createServer().listen(8080, "::")'] },
    ],
  }),
];

const DENY = policy('deny', 'web', { policyTypes: ['Ingress'] });

interface ProbedMatrix {
  readonly pods: readonly string[];
  readonly allowed: readonly (readonly boolean[])[];
  readonly predicted: readonly (readonly boolean[])[];
}

describe('a lab of an ordinary user', () => {
  const lab = useLab({ manifests: MANIFESTS, ordinary: true });

  it('is rootless, and says so', async () => {
    const { rootless } = await lab.status();
    expect(rootless).toBe(true);
    const { stdout } = await lab.user.run(['get', 'pods']);
    expect(stdout).toMatch(/^client +1\/1 +Running/m);
    expect(stdout).toMatch(/^command +1\/1 +Running/m);
    expect((await lab.user.run(['labs'])).stdout).toContain(lab.name);
  });

  it.each([
    { what: 'a Service by name', script: 'curl -sS -m 3 http://web' },
    { what: 'a Service over IPv6', script: 'curl -6 -sS -m 3 http://web' },
    { what: 'a Service by UDP', script: 'echo hello | nc -u -W 1 -w 2 web 53' },
  ])('reaches $what', async ({ script }) => {
    const { stdout, stderr } = await lab.shell('client', script);
    expect(stdout, stderr).toContain('pod: web');
  });

  it('has pods with names, resolvers and users of their own', async () => {
    const { stdout, stderr } = await lab.shell('client', 'hostname; grep nameserver /etc/resolv.conf; cat /dev/stdin');
    expect(stdout, stderr).toBe('client\nnameserver 10.96.0.10\n');
    expect((await lab.shell('client', 'exit 7')).exit).toBe(7);
  });

  it('enforces policies, on real connections as predicted', async () => {
    await lab.apply(DENY);
    const [tcp, ipv6, udp] = await Promise.all([
      lab.exec('client', 'curl -4 -sS -m 2 http://web'),
      lab.exec('client', 'curl -6 -sS -m 2 http://web'),
      lab.shell('client', 'echo hello | nc -u -W 1 -w 2 web 53'),
    ]);
    expect([tcp.exit, ipv6.exit, udp.stdout]).toEqual([28, 28, '']);
    const { stdout, stderr } = await lab.run('matrix', ['--probe', '--port', '8080', '-o', 'json']);
    const matrix = JSON.parse(stdout) as ProbedMatrix;
    expect(matrix.allowed, stderr).toEqual(matrix.predicted);
    const [from, to] = ['default/client', 'default/web'].map((name) => matrix.pods.indexOf(name));
    expect(matrix.allowed[from ?? -1]?.[to ?? -1]).toBe(false);
    expect(matrix.allowed.flat()).toContain(true);
    await lab.run('delete', ['netpol', 'deny']);
    expect((await lab.exec('client', 'curl -sS -m 3 http://web')).exit).toBe(0);
  });
});

describe('a lab of an ordinary user that refuses', () => {
  const lab = useLab({ manifests: [...MANIFESTS, DENY], ordinary: true, flags: ['--deny', 'reject'] });

  it('curl is refused at once', async () => {
    const { exit, stderr } = await lab.exec('client', 'curl -sS -m 3 http://web');
    expect(stderr).toContain("Couldn't connect to server");
    expect(exit).toBe(7);
  });
});

describe('where a lab is impossible', () => {
  /** A user on whose machine a program does something else. The folder comes first on the PATH. */
  async function upWith(program: string, script: string) {
    const path = await mkdtemp(join(tmpdir(), 'npl-path-'));
    await writeFile(join(path, program), `#!/bin/sh\n${script}\n`);
    await chmod(join(path, program), 0o755);
    const user = await CliUser.create({ path });
    try {
      return await user.run(['up', '-f', await user.folder({ 'pod.yaml': JSON.stringify(pod('client')) })]);
    } finally {
      await user[Symbol.asyncDispose]();
      await rm(path, { recursive: true });
    }
  }

  it('without namespaces: one message that says what to do', async () => {
    const { exit, stdout, stderr } = await upWith('unshare', 'exit 1');
    expect(stderr).toMatch(/^error: this user may not make network namespaces: run as root, or allow user namespaces/);
    expect(stderr).toMatch(/sysctl .*userns.*--privileged/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(exit).toBe(3);
  });

  it('without a firewall: the message names the program that failed', async () => {
    const { exit, stderr } = await upWith('iptables-restore', 'echo "no such table" >&2; exit 1');
    expect(stderr).toMatch(/iptables-restore/);
    expect(stderr).toMatch(/no such table/);
    expect(stderr).not.toMatch(/\n\s+at /); // a trace says nothing to a user
    expect(exit).toBe(3);
  });
});
