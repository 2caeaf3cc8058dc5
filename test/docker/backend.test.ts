import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kubectl } from '../e2e/kubectl-fixture.ts';
import { pod, policy, service, serving, useLab } from '../e2e/cli-fixture.ts';
import { docker } from './engine.ts';

const DUAL = { ipFamilyPolicy: 'PreferDualStack' };

const lab = useLab({
  manifests: [
    pod('client'),
    pod('web', { containers: [serving('80/TCP', '80/UDP')] }),
    service('web', { ...DUAL, ports: [{ port: 80 }] }),
  ],
  external: [{ name: 'api.example.com', addresses: ['10.0.0.10'], ports: [{ protocol: 'TCP', port: 443 }] }],
  flags: ['--backend', 'compose'],
});

function containerOf(service: string): Promise<string> {
  const labels = [`netpol-lab.lab=${lab.name}`, `com.docker.compose.service=${service}`];
  return docker('ps', '--quiet', ...labels.flatMap((label) => ['--filter', `label=${label}`]));
}

/** The first process of a service's container, as this machine counts: the engine is on it. */
async function pidOf(service: string): Promise<number> {
  return Number(await docker('inspect', '--format', '{{.State.Pid}}', await containerOf(service)));
}

/** A pod's proxy, as this machine counts: the child of its container's first process. */
async function proxyOf(pod: string): Promise<number> {
  const supervisor = await pidOf(`${pod}__proxy`);
  return Number(readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8').trim());
}

describe('a lab in containers', () => {
  it('has its pods ready, with the addresses that they have in every lab', async () => {
    const { stdout } = await lab.run('get', ['pods', '-A', '-o', 'json']);
    const pods = (JSON.parse(stdout) as { items: { metadata: { name: string }; status: { podIP: string } }[] }).items;
    const own = pods.filter(({ metadata: { name } }) => ['client', 'web'].includes(name));
    expect(own.map(({ metadata: { name }, status: { podIP } }) => `${name} ${podIP}`).sort()).toEqual([
      'client 10.244.0.2',
      'web 10.244.0.3',
    ]);
  });

  it('resolves names by the cluster, and not by Docker', async () => {
    const { stdout } = await lab.exec('client', 'nslookup web');
    expect(stdout).toMatch(/Server:\s+10\.96\.0\.10\n/);
    expect(stdout).toMatch(/Name:\s+web\.default\.svc\.cluster\.local\n/);
    const docks = await lab.exec('client', 'nslookup -timeout=1 -retry=0 web 127.0.0.11');
    expect(docks.exit).toBe(1);
  });

  it('reaches Services and hosts outside, over both families', async () => {
    for (const family of ['-4', '-6']) {
      const { stdout, stderr } = await lab.exec('client', `curl -sS -m 3 ${family} http://web`);
      expect(stdout, stderr).toContain('pod: web\n');
    }
    const { stdout } = await lab.exec('client', 'curl -sS -m 3 http://api.example.com:443');
    expect(stdout).toContain('host: api.example.com\n');
  });

  it('leaves its pods no way out of their network', async () => {
    for (const family of ['-4', '-6']) {
      expect((await lab.exec('client', ['sh', '-c', `/sbin/ip ${family} route show default`])).stdout).toBe('');
    }
  });

  it('gives what runs in its pods no rights', async () => {
    const { stdout } = await lab.exec('client', ['sh', '-c', 'id -u; grep CapEff /proc/self/status']);
    expect(stdout).toMatch(/^1000\nCapEff:\s+0{16}\n$/);
  });

  it('has proxies that take little memory', { timeout: 60_000 }, async () => {
    const process = await proxyOf('client');
    const resident = (): number => {
      const [, kilobytes] = /VmRSS:\s+([0-9]+) kB/.exec(readFileSync(`/proc/${process}/status`, 'utf8')) ?? [];
      return Number(kilobytes) / 1000;
    };
    await expect.poll(resident, { timeout: 50_000 }).toBeLessThan(60); // it lets go of what only its start needs
  });

  it('enforces what is applied, by the time that is said; the denial is logged and explained', async () => {
    const reaches = () => lab.exec('client', 'curl -sS -m 2 -o /dev/null http://web');
    expect(await reaches()).toMatchObject({ exit: 0 });
    await lab.apply(policy('deny', 'web', { policyTypes: ['Ingress'] }));
    expect(await reaches()).toMatchObject({ exit: 28 });
    const flows = await lab.run('flows', []);
    expect(flows.stdout.trim().split('\n').at(-1)).toMatch(
      /denied +TCP +default\/client \(.*\) -> default\/web \(.*:80\) +ingress denied/,
    );
    const why = await lab.run('explain', ['--from', 'default/client', '--to', 'default/web', '--port', '80']);
    expect(why.stdout).toMatch(/ingress of default\/web: denied: isolated by default\/deny/);
    const { stdout: proof } = await lab.run('why', ['client', '--prove', '-o', 'json']);
    expect(JSON.parse(proof)).toMatchObject({
      change: { summary: ['a new policy default/allow-web-from-client'] },
      proof: { proven: true, after: { outcome: 'connected' } }, // in a copy that needs no containers
    });
    await lab.run('delete', ['networkpolicy', 'deny']);
    expect(await reaches()).toMatchObject({ exit: 0 });
  });

  it('is probed from its pods: the matrix is as predicted', async () => {
    await lab.apply(policy('from-nobody', 'web', { policyTypes: ['Ingress', 'Egress'] }));
    const { exit, stdout } = await lab.run('matrix', ['--probe', '--port', '80', '--timeout', '1000']);
    expect(exit, stdout).toBe(0);
    expect(stdout).toMatch(/x passes \(5 of 9\)/);
    await lab.run('delete', ['networkpolicy', 'from-nobody']);
  });

  it('is served to kubectl, whose writes are in force when it returns', async () => {
    expect(await kubectl(lab, 'get pod web -n default -o name')).toBe('pod/web\n');
    const denied = policy('by-kubectl', 'web', { policyTypes: ['Ingress'] });
    await kubectl(lab, 'apply -f -', { input: JSON.stringify(denied) });
    expect(await lab.exec('client', 'curl -sS -m 2 http://web')).toMatchObject({ exit: 28 });
    await kubectl(lab, 'delete netpol by-kubectl -n default');
    expect(await lab.exec('client', 'curl -sS -m 2 http://web')).toMatchObject({ exit: 0 });
  });
});

describe('exec in a container', () => {
  it.each([
    { command: ['true'], exit: 0 },
    { command: ['sh', '-c', 'exit 3'], exit: 3 },
    { command: ['sh', '-c', 'kill -TERM $$'], exit: 143 },
  ])('$command: $exit', async ({ command, exit }) => {
    const seen = await lab.exec('client', command);
    expect(seen.exit, seen.stderr).toBe(exit);
  });

  it('passes input and output', async () => {
    const text = 'x'.repeat(1 << 20);
    expect((await lab.exec('client', 'cat', text)).stdout).toBe(text);
  });

  it('passes a terminal', async () => {
    const words = [...lab.user.program, 'exec', '--lab', lab.name, 'client', '--', 'sh', '-c', 'tty; stty size'];
    const line = words.map((word) => `'${word}'`).join(' ');
    const { stdout } = await lab.user.startProgram([
      'script',
      '-qec',
      `stty cols 91 rows 31; exec ${line}`,
      '/dev/null',
    ]).ended;
    expect(stdout).toMatch(/\/dev\/pts\/\d+\r\n31 91\r\n/);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('passes %s on', async (signal) => {
    const script = `trap 'echo caught; exit 9' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`;
    const running = lab.user.start(['exec', '--lab', lab.name, 'client', '--', 'sh', '-c', script]);
    await running.printed('ready');
    process.kill(running.pid, signal);
    expect(await running.ended).toMatchObject({ exit: 9, stdout: 'ready\ncaught\n' });
  });
});

describe('it fails closed', () => {
  it('while the control plane is gone policies stay in force, and it comes back with what it knew', async () => {
    await lab.apply(policy('deny', 'web', { policyTypes: ['Ingress'] }));
    process.kill(await pidOf('control__plane'), 'SIGKILL');
    const denied = await docker(
      'exec',
      await containerOf('client'),
      'sh',
      '-c',
      'curl -s -m 1 http://10.244.0.3; echo $?',
    );
    expect(denied).toBe('28');
    await expect.poll(() => lab.exec('client', 'true'), { timeout: 20_000 }).toMatchObject({ exit: 0 });
    await lab.run('delete', ['networkpolicy', 'deny']);
    expect(await lab.exec('client', 'curl -sS -m 2 http://web')).toMatchObject({ exit: 0 });
  });

  it('while a proxy is gone nothing new passes, and it is started again', async () => {
    await lab.apply(policy('deny', 'web', { policyTypes: ['Ingress'] }));
    const knock = 'for i in 1 2 3 4 5 6; do curl -s -m 0.5 -o /dev/null http://10.244.0.3 && echo passed; done; true';
    const knocking = lab.exec('client', ['sh', '-c', knock]);
    const killed = await proxyOf('web');
    process.kill(killed, 'SIGKILL');
    expect(await knocking).toMatchObject({ exit: 0, stdout: '' });
    await lab.run('delete', ['networkpolicy', 'deny']);
    await expect
      .poll(() => lab.exec('client', 'curl -sS -m 2 http://web'), { timeout: 10_000 })
      .toMatchObject({ exit: 0 });
    expect(await proxyOf('web')).not.toBe(killed);
  });
});
