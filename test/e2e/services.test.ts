import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pod, policy, service, serving, useLab, type CliLab } from './cli-fixture.ts';

/** Pods of the Deployment `NAME`, with the label `app: NAME`. */
function deployment(name: string, replicas: number, container: object): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const spec = { replicas, selector: { matchLabels: labels }, template };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec };
}

function labelled(object: object, labels: object): object {
  const { metadata } = object as { metadata: object };
  return { ...object, metadata: { ...metadata, labels } };
}

const READY_AT_FILE = { ...serving('8080/TCP'), name: 'late' };

const lab = useLab({
  manifests: [
    pod('client'),
    pod('egress'),
    deployment('web', 3, serving('8080/TCP', '5353/UDP')),
    service('web', {
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'echo', port: 53, targetPort: 5353, protocol: 'UDP' },
      ],
    }),
    service('web-headless', { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 8080 }] }),
    labelled(pod('low', { containers: [serving('http=8080/TCP')] }), { app: 'named' }),
    labelled(pod('high', { containers: [serving('http=9090/TCP')] }), { app: 'named' }),
    service('named', { ports: [{ port: 80, targetPort: 'http' }] }),
    pod('self', { containers: [serving('8080/TCP', '5353/UDP')] }),
    // Not "self": that is the pod's host name, which its hosts file knows.
    service('mirror', {
      selector: { app: 'self' },
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'echo', port: 53, targetPort: 5353, protocol: 'UDP' },
      ],
    }),
    service('nobody', { ports: [{ port: 80 }] }),
    pod('guarded', { containers: [serving('8080/TCP')] }),
    service('guarded', { ports: [{ port: 80, targetPort: 8080 }] }),
  ],
});

/** What built-in servers answered to many requests, each once, sorted. */
async function answersOf(from: string, request: string): Promise<string[]> {
  const script = `for i in $(seq 60); do ${request}; done | grep ^pod: | sort -u`;
  const { stdout } = await lab.shell(from, script);
  return stdout.trim().split('\n');
}

function datagramTo(host: string, flags = ''): string {
  return `echo hello | nc -u -W 1 -w 2 ${flags} ${host} 53`;
}

async function namesOf(prefix: string): Promise<string[]> {
  const { pods } = await lab.status();
  return pods
    .map(({ name }) => name)
    .filter((name) => name.startsWith(prefix))
    .map((name) => `pod: ${name}`)
    .sort();
}

async function clusterIpOf(name: string, family = 0): Promise<string> {
  const { stdout } = await lab.run('get', ['service', name, '-o', 'json']);
  const { spec } = JSON.parse(stdout) as { spec: { clusterIPs: string[] } };
  return spec.clusterIPs[family] ?? '';
}

describe('Services', () => {
  it('uses every endpoint of a TCP Service', async () => {
    const pods = await namesOf('web-');
    expect(pods).toHaveLength(3);
    expect(await answersOf('client', 'curl -sS -m 3 http://web')).toEqual(pods);
  });

  it('uses every endpoint of a UDP Service', async () => {
    expect(await answersOf('client', datagramTo('web'))).toEqual(await namesOf('web-'));
  });

  it('resolves a named targetPort in each pod', async () => {
    expect(await answersOf('client', 'curl -sS -m 3 http://named')).toEqual(['pod: high', 'pod: low']);
  });

  it('answers on its IPv6 address by TCP and UDP', async () => {
    const address = await clusterIpOf('web', 1);
    expect(address).toMatch(/^fd00:10:96::/);
    const tcp = await lab.exec('client', `curl -sS -m 3 http://[${address}]`);
    expect(tcp.stdout).toMatch(/^client: \[fd00:10:244::/m);
    const udp = await lab.shell('client', datagramTo(address));
    expect(udp.stdout).toMatch(/^client: \[fd00:10:244::/m);
  });

  it('shows the pod the address of its client, not a translated one', async () => {
    const { addresses } = await lab.pod('client');
    const { stdout } = await lab.exec('client', 'curl -4 -sS -m 3 http://web');
    expect(stdout).toContain(`client: ${String(addresses[0])}:`);
  });

  it('gives the addresses of the pods where it is headless', async () => {
    const { pods } = await lab.status();
    const addresses = pods.filter(({ name }) => name.startsWith('web-')).map((each) => each.addresses[0]);
    const { stdout } = await lab.exec('client', 'dig +short A web-headless.default.svc.cluster.local');
    expect(stdout.trim().split('\n').sort()).toEqual(addresses.sort());
    const { exit } = await lab.exec('client', 'curl -sS -m 3 http://web-headless:8080');
    expect(exit).toBe(0);
  });

  it.each([
    { way: 'TCP, IPv4', request: 'curl -4 -sS -m 3 http://mirror' },
    { way: 'TCP, IPv6', request: 'curl -6 -sS -m 3 http://mirror' },
    { way: 'UDP, IPv4', request: datagramTo('mirror', '-4') },
    { way: 'UDP, IPv6', request: datagramTo('mirror', '-6') },
  ])('lets a pod reach itself: $way', async ({ request }) => {
    const { stdout, stderr } = await lab.shell('self', request);
    expect(stdout, stderr).toMatch(/^pod: self$/m);
  });

  it('lets a pod that policies isolate reach itself', async () => {
    await lab.apply(
      policy('self', 'self', {
        policyTypes: ['Ingress', 'Egress'],
        egress: [{ ports: [{ port: 53, protocol: 'UDP' }] }],
      }),
    );
    const { stdout, stderr } = await lab.exec('self', 'curl -4 -sS -m 3 http://mirror');
    expect(stdout, stderr).toMatch(/^pod: self$/m);
    await lab.run('delete', ['netpol', 'self']);
  });

  it.each([
    { what: 'a Service without pods', url: 'http://nobody' },
    { what: 'a port that the Service does not have', url: 'http://web:8080' },
  ])('refuses: $what', async ({ url }) => {
    for (const family of ['-4', '-6']) {
      const { exit, stderr } = await lab.exec('client', `curl ${family} -sS -m 3 ${url}`);
      expect(exit, stderr).toBe(7);
    }
  });

  it('refuses a datagram to a Service without pods', async () => {
    await lab.apply(service('nobody-udp', { selector: { app: 'nobody' }, ports: [{ port: 53, protocol: 'UDP' }] }));
    const { exit, stdout, stderr } = await lab.exec('client', 'dig +tries=1 +timeout=2 @nobody-udp.default.svc web');
    expect(`${stdout}${stderr}`).toMatch(/connection refused|host unreachable/);
    expect(exit).toBe(9); // dig's code for "no reply from server"
  });
});

describe('a Service whose pod is not ready yet', () => {
  it.each([
    {
      probe: 'exec',
      name: 'late-exec',
      readiness: (flag: string) => ({ exec: { command: ['test', '-e', flag] } }),
    },
    {
      probe: 'tcpSocket',
      name: 'late-tcp',
      readiness: () => ({ tcpSocket: { port: 7070 } }),
    },
    {
      probe: 'httpGet',
      name: 'late-http',
      readiness: () => ({ httpGet: { path: '/', port: 7070 } }),
    },
  ])('refuses, then works: $probe', async ({ name, readiness }) => {
    const flag = join(lab.user.home, `${name}-ready`);
    // The second container opens port 7070 once the file is there.
    const script = `until test -e ${flag}; do sleep 0.05; done; while :; do printf 'HTTP/1.1 200 OK\\r\\n\\r\\n' | nc -lN -p 7070; done`;
    const opener = { name: 'opener', image: 'busybox', command: ['sh', '-c', script] };
    await lab.apply(
      pod(name, { containers: [{ ...READY_AT_FILE, readinessProbe: readiness(flag) }, opener] }),
      service(name, { ports: [{ port: 80, targetPort: 8080 }] }),
      service(`${name}-early`, {
        selector: { app: name },
        publishNotReadyAddresses: true,
        ports: [{ port: 80, targetPort: 8080 }],
      }),
    );
    const before = await lab.exec('client', `curl -sS -m 3 http://${name}`);
    expect(before.exit, before.stderr).toBe(7);
    const early = await lab.exec('client', `curl -sS -m 3 --retry 5 --retry-connrefused http://${name}-early`);
    expect(early.stdout, early.stderr).toContain(`pod: ${name}`);
    expect(await lab.pod(name)).toMatchObject({ ready: false, containers: { ready: 1, total: 2 } });

    await writeFile(flag, '');
    const after = await lab.shell('client', `timeout 20 sh -c 'until curl -s -m 3 http://${name}; do sleep 0.1; done'`);
    expect(after.stdout, after.stderr).toContain(`pod: ${name}`);
  });
});

describe('policies see the pod behind a Service', () => {
  it.each([
    { on: "the pod's port", port: 8080, exit: 0 },
    { on: "the Service's port", port: 80, exit: 28 },
  ])('ingress rule on $on: exit $exit', async ({ port, exit }) => {
    await lab.apply(policy('guarded', 'guarded', { ingress: [{ ports: [{ port }] }] }));
    const seen = await lab.exec('client', 'curl -sS -m 2 http://guarded');
    expect(seen.exit, seen.stderr).toBe(exit);
  });

  it.each([
    { cidr: "the Service's address", of: () => clusterIpOf('guarded'), exit: 28 },
    { cidr: "the pod's address", of: podAddress(lab, 'guarded'), exit: 0 },
  ])('egress ipBlock with $cidr: exit $exit', async ({ of, exit }) => {
    await lab.run('delete', ['netpol', 'guarded']);
    await lab.apply(policy('egress', 'egress', { egress: [{ to: [{ ipBlock: { cidr: `${await of()}/32` } }] }] }));
    const seen = await lab.exec('egress', `curl -sS -m 2 http://${await clusterIpOf('guarded')}`);
    expect(seen.exit, seen.stderr).toBe(exit);
  });
});

function podAddress(of: CliLab, name: string): () => Promise<string> {
  return async () => (await of.pod(name)).addresses[0] ?? '';
}
