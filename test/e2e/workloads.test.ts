import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CliLab, eventually, pod, policy, service, serving, useLab } from './cli-fixture.ts';

const API = { Job: 'batch/v1', CronJob: 'batch/v1' } as const;

/** A workload whose pods have the label `app: NAME`. */
function workload(kind: string, name: string, podSpec: object, spec: object = {}): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: podSpec };
  const selector = kind in API ? {} : { selector: { matchLabels: labels } };
  const apiVersion = kind in API ? 'batch/v1' : 'apps/v1';
  const own =
    kind === 'CronJob' ? { schedule: '@daily', jobTemplate: { spec: { template } } } : { ...selector, template };
  return { apiVersion, kind, metadata: { name }, spec: { ...own, ...spec } };
}

function running(script: string, more: object = {}): object {
  return { name: 'main', image: 'busybox', command: ['sh', '-c', script], ...more };
}

const SERVER = { containers: [serving('80/TCP')] };
const SHARED = '10.244.77.7'; // of a pod that has finished and of one that runs
const ONCE = { restartPolicy: 'Never' };

const lab = useLab({
  unready: true,
  manifests: [
    pod('client'),
    workload('Deployment', 'web', SERVER, { replicas: 2 }),
    workload('StatefulSet', 'db', SERVER, { serviceName: 'db', replicas: 2 }),
    workload('DaemonSet', 'agent', SERVER),
    workload('ReplicaSet', 'set', SERVER),
    workload('Job', 'done', { ...ONCE, containers: [running('exit 0')] }),
    workload('Job', 'broken', { ...ONCE, containers: [running('exit 3')] }),
    workload('CronJob', 'nightly', { ...ONCE, containers: [running('exec sleep 1000')] }),
    pod('real', {
      containers: [running('echo hi; exec nc -lk -p 8080', { ports: [{ containerPort: 8080 }] })],
    }),
    pod('node', {
      containers: [
        {
          name: 'main',
          image: 'node',
          command: [
            'node',
            '-e',
            'require("http").createServer((_, r) => r.end(process.env.WORD + process.argv[1])).listen(3000)',
          ],
          args: ['!'],
          env: [{ name: 'WORD', value: 'hello' }],
        },
      ],
    }),
    pod('environment', {
      containers: [
        running('env; exec sleep 1000', {
          env: [
            { name: 'COLOR', value: 'green blue' },
            { name: 'MY_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'MY_ADDRESS', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          ],
        }),
      ],
    }),
    pod('sidecars', {
      initContainers: [
        running('sleep 0.2; echo first', { name: 'first' }),
        running('echo second', { name: 'second' }),
        running('echo sidecar; exec sleep 1000', { name: 'beside', restartPolicy: 'Always' }),
      ],
      containers: [running('echo main; exec sleep 1000')],
    }),
    pod('once', { ...ONCE, containers: [running('exit 0')] }),
    pod('failed', { ...ONCE, containers: [running('exit 7')] }),
    { ...pod('late'), status: { phase: 'Succeeded', podIP: SHARED } },
    { ...pod('heir', SERVER), status: { phase: 'Running', podIP: SHARED } },
    pod('crash', { containers: [running('echo oh; exit 1')] }),
    pod('stuck', { initContainers: [running('exit 1', { name: 'init' })], containers: [running('echo never')] }),
    pod('begins', {
      initContainers: [running('exit 0', { name: 'first' }), running('exec sleep 1000', { name: 'second' })],
      containers: [running('echo never')],
    }),
    pod('folder', {
      containers: [
        running('pwd; exec sleep 1000', {
          workingDir: '/usr/share',
          readinessProbe: { exec: { command: ['sh', '-c', 'test "$PWD" = /usr/share'] } },
        }),
      ],
    }),
    pod('relative', { containers: [{ ...running(''), command: ['./env', 'echo', 'found'], workingDir: '/usr/bin' }] }),
    pod('homeless', { containers: [running('pwd; exec sleep 1000', { workingDir: '/no/such' })] }),
    pod('missing', { containers: [{ ...serving('9000/TCP'), command: ['/opt/app/server', '--port', '9000'] }] }),
    pod('idle', { containers: [{ name: 'main', image: 'alpine', command: ['/opt/app/batch'] }] }),
    pod('nginx', { containers: [{ name: 'main', image: 'docker.io/library/nginx:1.27@sha256:0123' }] }),
    pod('redis', { containers: [{ name: 'main', image: 'redis:7' }] }),
    pod('probe', { containers: [{ name: 'main', image: 'registry.k8s.io/e2e-test-images/agnhost:2.47' }] }),
    pod('two', { containers: [serving('80/TCP'), { ...serving('81/TCP'), name: 'other' }] }),
    service('db', { clusterIP: 'None', ports: [{ port: 80 }] }),
  ],
});

async function names(prefix: RegExp): Promise<string[]> {
  return (await lab.status()).pods.map(({ name }) => name).filter((name) => prefix.test(name));
}

/** What the containers of a pod have written, in that order. */
async function logOf(name: string): Promise<string> {
  const folder = join(lab.user.home, 'netpol-lab', lab.name, 'logs', 'default', name);
  const texts = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')));
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== '')).toSorted();
  return lines.map((line) => `${line.split(' ').slice(3).join(' ')}\n`).join('');
}

/** The columns READY, STATUS and RESTARTS of `get pods`. */
async function shown(name: RegExp): Promise<string[]> {
  const { stdout } = await lab.run('get', ['pods']);
  const line = stdout.split('\n').find((each) => name.test(each.split(/ +/)[0] ?? '')) ?? '';
  return line.split(/ +/).slice(1, 4);
}

describe('workloads become pods', () => {
  it.each([
    { kind: 'Deployment', endpoint: 'deploy/web', pattern: /^web-[a-z0-9]{6,10}-[a-z0-9]{5}$/, count: 2 },
    { kind: 'StatefulSet', endpoint: 'sts/db', pattern: /^db-[01]$/, count: 2 },
    { kind: 'DaemonSet', endpoint: 'ds/agent', pattern: /^agent-[a-z0-9]{5}$/, count: 1 },
    { kind: 'ReplicaSet', endpoint: 'rs/set', pattern: /^set-[a-z0-9]{5}$/, count: 1 },
  ])('$kind: they serve', async ({ endpoint, pattern, count }) => {
    const pods = await names(pattern);
    expect(pods).toHaveLength(count);
    const { addresses } = await lab.pod(pods[0] ?? '');
    const { stdout } = await lab.exec('client', `curl -sS -m 3 http://${String(addresses[0])}`);
    expect(stdout).toContain(`pod: ${String(pods[0])}`);
    expect((await lab.exec(endpoint, 'true')).exit).toBe(0);
  });

  it('CronJob: its job runs', async () => {
    expect(await names(/^nightly-\d+-[a-z0-9]{5}$/)).toHaveLength(1);
    expect(await shown(/^nightly-/)).toEqual(['1/1', 'Running', '0']);
  });

  it('Jobs: their pods end', async () => {
    await eventually(async () => ((await shown(/^done-/))[1] === 'Completed' ? true : undefined), 'the job was done');
    expect(await shown(/^done-/)).toEqual(['0/1', 'Completed', '0']);
    await eventually(async () => ((await shown(/^broken-/))[1] === 'Error' ? true : undefined), 'the job failed');
    const { stdout } = await lab.run('get', ['jobs']);
    expect(stdout).toMatch(/^done +Complete +1\/1/m);
    expect(stdout).toMatch(/^broken +Failed +0\/1/m);
  });
});

describe('containers', () => {
  it('with a command run it', async () => {
    const { addresses } = await lab.pod('real');
    const { exit, stderr } = await lab.exec('client', `nc -vz -w 2 ${String(addresses[0])} 8080`);
    expect(exit, stderr).toBe(0);
    expect(await logOf('real')).toContain('hi\n');
  });

  it('with command, args and env: a real server', async () => {
    const { addresses } = await lab.pod('node');
    const request = `curl -sS -m 3 --retry 10 --retry-connrefused http://${String(addresses[0])}:3000`;
    expect((await lab.exec('client', request)).stdout).toBe('hello!');
  });

  it('have the environment that the manifest gives them, and not that of the host', async () => {
    const log = await eventually(async () => {
      const text = await logOf('environment');
      return text.includes('COLOR') ? text : undefined;
    }, 'the container printed its environment');
    const { addresses } = await lab.pod('environment');
    expect(log).toMatch(/^COLOR=green blue$/m);
    expect(log).toMatch(/^HOSTNAME=environment$/m);
    expect(log).toMatch(/^MY_NAME=environment$/m);
    expect(log).toContain(`MY_ADDRESS=${String(addresses[0])}\n`);
    expect(log).not.toContain('XDG_RUNTIME_DIR');
  });

  it('of init run before the others, one by one; sidecars go on', async () => {
    const [first, second, ...others] = (await logOf('sidecars')).trim().split('\n');
    expect([first, second]).toEqual(['first', 'second']);
    expect(others.sort()).toEqual(['main', 'sidecar']); // the sidecar is started first, but speaks when it gets to it
    expect(await shown(/^sidecars$/)).toEqual(['2/2', 'Running', '0']);
  });

  it.each([
    { name: 'nginx', port: 80 },
    { name: 'redis', port: 6379 },
    { name: 'probe', port: 8080 },
    { name: 'two', port: 80 },
    { name: 'two', port: 81 },
  ])('of servers that declare no command serve: $name on $port', async ({ name, port }) => {
    const { addresses } = await lab.pod(name);
    const { stdout, stderr } = await lab.exec('client', `curl -sS -m 3 http://${String(addresses[0])}:${port}`);
    expect(stdout, stderr).toContain(`pod: ${name}`);
  });

  it('begin in their working directory, as do their probes', async () => {
    expect(await logOf('folder')).toBe('/usr/share\n');
    expect(await shown(/^folder$/)).toEqual(['1/1', 'Running', '0']);
    expect(await logOf('relative')).toContain('found\n');
  });

  it('whose working directory this machine lacks begin in /, and say so', async () => {
    const said = 'netpol-lab: /no/such: no such folder on this machine: begins in /\n/\n';
    await expect.poll(() => logOf('homeless')).toBe(said);
  });

  it('whose command is not on this machine: a server or nothing instead, and a warning', async () => {
    const { addresses } = await lab.pod('missing');
    const { stdout } = await lab.exec('client', `curl -sS -m 3 http://${String(addresses[0])}:9000`);
    expect(stdout).toContain('pod: missing');
    const { warnings } = await lab.status();
    expect(warnings.filter((text) => text.includes('is not on this machine'))).toEqual([
      'default/missing: container server: /opt/app/server is not on this machine; a built-in server answers on 9000/TCP instead',
      'default/idle: container main: /opt/app/batch is not on this machine; it idles instead',
    ]);
  });
});

describe('ends and restarts', () => {
  it.each([
    { name: 'once', columns: ['0/1', 'Completed', '0'] },
    { name: 'failed', columns: ['0/1', 'Error', '0'] },
  ])('$name: $columns', async ({ name, columns }) => {
    expect(await shown(new RegExp(`^${name}$`))).toEqual(columns);
  });

  it('a container that ends again and again: CrashLoopBackOff, restarts are counted', async () => {
    const columns = await eventually(async () => {
      const seen = await shown(/^crash$/);
      return Number(seen[2]) >= 2 && seen[1] === 'CrashLoopBackOff' ? seen : undefined;
    }, 'it was restarted twice');
    expect(columns[0]).toBe('0/1');
    expect(await logOf('crash')).toMatch(/^(oh\n){2,}$/);
  });

  it('an init container that fails: the others never start', async () => {
    const columns = await shown(/^stuck$/);
    expect(columns[0]).toBe('0/1');
    expect(columns[1]).toMatch(/^Init:(CrashLoopBackOff|Error)$/);
    expect(await logOf('stuck')).toBe('');
  });

  it('an init container that goes on: how many have ended of how many', async () => {
    expect(await shown(/^begins$/)).toEqual(['0/1', 'Init:1/2', '0']);
  });
});

describe('a pod that has finished', () => {
  it('answers no more, and is no source', async () => {
    const finished = await lab.pod('once');
    const { exit } = await lab.exec('client', `curl -sS -m 1 http://${String(finished.addresses[0])}`);
    expect(exit).not.toBe(0);
    const { exit: from, stderr } = await lab.exec('once', 'true');
    expect(stderr).toMatch(/default\/once/);
    expect(from).toBe(2);
  });

  it('is neither subject nor peer: its address is that of the pod that runs', async () => {
    const request = `curl -sS -m 2 http://${SHARED}`;
    const allowed = await lab.exec('client', request);
    expect(allowed.stdout, allowed.stderr).toContain('pod: heir');
    // What the policies say of the dead one would deny the client and allow the other.
    await lab.apply(
      policy('late', 'late', { policyTypes: ['Ingress'], ingress: [from('web')] }),
      policy('heir', 'heir', { policyTypes: ['Ingress'], ingress: [from('client')] }),
    );
    expect((await lab.exec('client', request)).exit).toBe(0);
    expect((await lab.exec('deploy/web', request)).exit).toBe(28);
  });
});

function from(app: string): object {
  return { from: [{ podSelector: { matchLabels: { app } } }] };
}

describe('up', () => {
  it('says which pods are not ready, and what runs otherwise than the manifests say', async () => {
    const other = new CliLab({
      unready: true,
      manifests: [
        pod('crash', { containers: [running('exit 1')] }),
        pod('missing', { containers: [{ ...serving('9000/TCP'), command: ['/opt/app/server'] }] }),
      ],
    });
    try {
      const { stdout, stderr } = await other.up();
      expect(`${stdout}${stderr}`).toContain('/opt/app/server is not on this machine');
      expect(stdout).not.toContain('3 pods ready');
      expect(`${stdout}${stderr}`).toContain('default/crash');
    } finally {
      await other.down();
    }
  });
});
