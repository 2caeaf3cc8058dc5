import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { composeFile } from '../../src/lab/compose/compose-file.ts';
import { placedManifests } from '../../src/lab/compose/placed-manifests.ts';
import type { Images } from '../../src/lab/compose/workload-service.ts';
import { loadLab, toSpec } from '../../src/lab/lab-file.ts';
import { DEFAULT_OPTIONS, type LabSpec } from '../../src/lab/lab-client.ts';
import { shippedLabs } from '../../src/lab/shipped.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Service {
  readonly image: string;
  readonly entrypoint?: unknown;
  readonly command?: unknown;
  readonly environment?: Readonly<Record<string, string>>;
  readonly network_mode?: string;
  readonly networks?: { readonly pods?: { readonly ipv4_address: string; readonly ipv6_address: string } };
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly restart?: boolean }>>;
  readonly restart?: string;
  readonly working_dir?: string;
  readonly hostname?: string;
  readonly extra_hosts?: readonly string[];
  readonly user?: string;
  readonly cap_add?: readonly string[];
  readonly cap_drop: readonly string[];
  readonly privileged?: boolean;
  readonly volumes?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

interface File {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
}

function pod(name: string, spec: object, namespace = 'default'): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec };
}

const IDLE = { containers: [{ name: 'main', image: 'busybox' }] };

function specOf(objects: readonly object[], more: Partial<LabSpec> = {}): LabSpec {
  const text = objects.map((object) => JSON.stringify(object)).join('\n---\n');
  return { name: 'test', files: [{ path: 'pods.yaml', text }], external: [], options: DEFAULT_OPTIONS, ...more };
}

async function compose(objects: readonly object[], images: Images = 'lab', more: Partial<LabSpec> = {}): Promise<File> {
  return parse((await composeFile(specOf(objects, more), images)).text, { merge: true }) as File;
}

function service({ services }: File, name: string): Service {
  const found = services[name];
  if (!found) throw new Error(`no service ${name} among ${Object.keys(services).join(' ')}`);
  return found;
}

describe('the files in compose/', () => {
  it('are of shipped labs, each as it would be written now', async () => {
    const files = await readdir(join(ROOT, 'compose'));
    const labs = (await shippedLabs()).filter(({ name }) => files.includes(`${name}.yaml`));
    expect(files.sort()).toEqual(labs.map(({ name }) => `${name}.yaml`).sort());
    for (const { name, folder } of labs) {
      const { text } = await composeFile(await toSpec(await loadLab(folder), name, {}), 'lab');
      const command = `node src/cli/netpol-lab.ts compose ${name} > compose/${name}.yaml`;
      expect(await readFile(join(ROOT, 'compose', `${name}.yaml`), 'utf8'), `stale: ${command}`).toBe(text);
    }
  });
});

it.each([
  { carry: 'auto', carries: 'relay' },
  { carry: 'relay', carries: 'relay' },
  { carry: 'kernel', carries: 'kernel' },
] as const)('where a lab says $carry, the $carries carries', async ({ carry, carries }) => {
  const file = await compose([pod('client', IDLE)], 'lab', { options: { ...DEFAULT_OPTIONS, carry } });
  expect(service(file, 'control__plane').command).toContain(`--carry ${carries}`);
});

describe('manifests', () => {
  it('are placed in the order in which they are given, each by itself, and keep their paths', async () => {
    const paths = ['z.yaml', '../base/a.yaml', 'base/a.yaml', '/abs/a.yaml', 'a', 'a.yaml'];
    const files = paths.map((path, index) => ({ path, text: JSON.stringify(pod(`pod-${index}`, IDLE)) }));
    const { services, configs } = await compose([], 'lab', { files });
    const placed = services.control__plane?.configs?.filter(({ source }) => source.startsWith('manifest-')) ?? [];
    expect(new Set(placed.map(({ target }) => target)).size).toBe(paths.length + 1);
    const folder = await mkdtemp(join(tmpdir(), 'netpol-lab-test-'));
    try {
      for (const { source, target } of placed) {
        await writeFile(join(folder, basename(target)), configs[source]?.content ?? '');
      }
      expect(await placedManifests(folder)).toEqual(files.map((file) => ({ ...file, text: file.text.trim() })));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('what Compose reads as YAML 1.1', () => {
  const odd = ['2024-01-01', '1_000', '0b11', '0o17', '0x_1f', '1_0.5', 'yes', '10:20', '~', '=', '.inf'];

  it.each(odd)('%s stays the text that it is', async (value) => {
    const container = { name: 'main', image: 'busybox', command: ['echo', value], env: [{ name: 'ODD', value }] };
    const text = (await composeFile(specOf([pod('app', { containers: [container] })]), 'lab')).text;
    for (const version of ['1.1', '1.2'] as const) {
      const app = service(parse(text, { merge: true, version }) as File, 'app');
      expect([app.environment?.ODD, (app.entrypoint as string[]).at(-1)]).toEqual([value, value]);
    }
  });

  it('is the name of a pod', async () => {
    const { text } = await composeFile(specOf([pod('2024-01-01', IDLE)]), 'lab');
    expect(text).toContain('"2024-01-01":');
  });
});

it('a host outside that serves nothing has no ports', async () => {
  const external = [{ name: 'office.example', addresses: ['203.0.113.9'], ports: [] }];
  expect(service(await compose([], 'lab', { external }), 'outside__office-example').command).not.toContain('--ports');
});

it.each(['lab', 'real'] as const)('everything has the label of the lab (images: %s)', async (images) => {
  const { services } = await compose([pod('web', IDLE)], images);
  for (const [name, { labels }] of Object.entries(services)) {
    expect([name, labels['netpol-lab.lab']]).toEqual([name, 'test']);
  }
});

it('a pod of a subdomain has its full name', async () => {
  const file = await compose([pod('db-0', { ...IDLE, subdomain: 'db' }, 'data'), pod('client', IDLE)]);
  expect(service(file, 'data_db-0__proxy')).toMatchObject({
    hostname: 'db-0',
    domainname: 'db.data.svc.cluster.local',
  });
  expect(service(file, 'client__proxy')).not.toHaveProperty('domainname');
});

it("a pod's host name is cut as a kubelet does", async () => {
  const name = `${'a'.repeat(62)}-b.c`;
  const file = await compose([pod(name, IDLE)]);
  expect(service(file, `${name.replaceAll('.', '___')}__proxy`).hostname).toBe('a'.repeat(62));
});

describe('an egress gateway', () => {
  const gateway = pod('gateway', { containers: [{ name: 'proxy', image: 'netpol-lab/egress-gateway' }] });

  it.each(['lab', 'real'] as const)('is of the lab’s image (images: %s) and asks the control plane', async (images) => {
    expect(service(await compose([gateway], images), 'gateway')).toMatchObject({
      image: 'netpol-lab',
      entrypoint: 'netpol-lab container egress-gateway --pod default/gateway --port 3128 --run /run/netpol-lab',
      volumes: ['run:/run/netpol-lab:ro'],
      cap_drop: ['ALL'],
    });
  });

  it('listens on the port that it declares', async () => {
    const ports = [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 8888 }];
    const image = 'registry.example/netpol-lab/egress-gateway:1@sha256:0';
    const file = await compose([pod('gateway', { containers: [{ name: 'proxy', image, ports }] })]);
    expect(service(file, 'gateway').entrypoint).toContain('--port 8888');
  });

  it('is not whatever else has such a name', async () => {
    const file = await compose([pod('other', { containers: [{ name: 'proxy', image: 'example/egress-gateway' }] })]);
    expect(service(file, 'other').entrypoint).toBe('sleep infinity');
  });
});

describe('a pod', async () => {
  const file = await compose([
    pod('web', { containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }] }] }),
  ]);

  it('is a proxy that has its addresses, and a container in the network of that, started after it is closed', () => {
    expect(service(file, 'web__proxy')).toMatchObject({
      command: '--pod default/web --run /run/netpol-lab',
      hostname: 'web',
      networks: { pods: { ipv4_address: '10.244.0.2', ipv6_address: 'fd00:10:244::2' } },
      depends_on: { control__plane: { condition: 'service_healthy' } },
    });
    expect(service(file, 'web')).toMatchObject({
      entrypoint: 'netpol-lab container server --pod default/web --ports 80/TCP',
      network_mode: 'service:web__proxy',
      depends_on: { web__proxy: { condition: 'service_healthy', restart: true } },
      labels: { 'netpol-lab.lab': 'test', 'netpol-lab.pod': 'default/web', 'netpol-lab.container': 'nginx' },
    });
  });

  it('knows its host aliases', async () => {
    const hostAliases = [
      { ip: '192.0.2.7', hostnames: ['a.example', 'b'] },
      { ip: '2001:db8::7', hostnames: ['b'] },
    ];
    const aliased = service(await compose([pod('web', { ...IDLE, hostAliases })]), 'web__proxy');
    expect(aliased.extra_hosts).toEqual(['a.example:192.0.2.7', 'b:192.0.2.7', 'b:2001:db8::7']);
  });

  it('asks the cluster for names', () => {
    expect(file.configs['resolv-default']?.content).toBe(
      'nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n',
    );
  });

  it('asks whom its own resolver names', async () => {
    const dnsConfig = { nameservers: ['192.0.2.53'], options: [{ name: 'a', value: '$b' }] };
    const own = await compose([pod('web', { ...IDLE, dnsPolicy: 'None', dnsConfig }), pod('plain', IDLE)]);
    expect(service(own, 'web__proxy').configs).toMatchObject([{ source: 'resolv-default_web' }]);
    expect(own.configs['resolv-default_web']?.content).toBe('nameserver 192.0.2.53\noptions a:$$b\n');
    expect(service(own, 'plain__proxy').configs).toMatchObject([{ source: 'resolv-default' }]);
  });

  it('runs its command, or what stands in for it where the image lacks the program', async () => {
    const ports = [{ containerPort: 8080 }];
    const command = { name: 'main', image: 'agnhost', command: ['/agnhost', 'netexec'], args: ['--cost=$5'], ports };
    const file = await compose([pod('web', { containers: [command] })]);
    expect(service(file, 'web').entrypoint).toEqual([
      ...['workload', 'main', 'always'],
      'sh',
      '-c',
      'command -v "$$1" >/dev/null && exec "$$@"; exec netpol-lab container server --pod default/web --ports 8080/TCP',
      'sh',
      '/agnhost',
      'netexec',
      '--cost=$$5',
    ]);
    expect(service(file, 'web__proxy').command).toBe('--pod default/web --run /run/netpol-lab --shown main');
  });

  it('has init containers exit, which the next ones wait for', async () => {
    const initContainers = [{ name: 'first', image: 'busybox', command: ['true'] }];
    const file = await compose([pod('job', { ...IDLE, initContainers })]);
    expect(service(file, 'job__first').entrypoint).toContain('true');
    expect(service(file, 'job__first').entrypoint).not.toContain('workload');
    expect(service(file, 'job__proxy').command).not.toContain('--shown');
  });

  it('of several containers starts them as a kubelet does', async () => {
    const containers = [
      { name: 'main', image: 'busybox' },
      { name: 'proxy', image: 'busybox' },
    ];
    const initContainers = [
      { name: 'first', image: 'busybox', command: ['true'] },
      { name: 'sidecar', image: 'busybox', restartPolicy: 'Always' },
    ];
    const { services } = await compose([pod('job', { containers, initContainers, restartPolicy: 'Never' })]);
    const started = Object.entries(services).filter(([, { labels }]) => labels['netpol-lab.container'] !== undefined);
    const own = started.filter(([, { labels }]) => labels['netpol-lab.pod'] === 'default/job');
    const facts = own.map(([name, { depends_on: after = {}, restart }]) => [
      name,
      restart,
      Object.entries(after).map(([other, { condition }]) => `${other} ${condition}`),
    ]);
    const closed = 'job__proxy service_healthy';
    expect(facts).toEqual([
      ['job__first', 'no', [closed]],
      ['job__sidecar', 'always', [closed, 'job__first service_completed_successfully']],
      ['job', 'no', [closed, 'job__sidecar service_started']],
      ['job__proxy-container', 'no', [closed, 'job__sidecar service_started']],
    ]);
  });

  it('has a service of its own, whatever its name and namespace', async () => {
    const { services } = await compose([pod('a', IDLE), pod('a', IDLE, 'b'), pod('a.b', IDLE), pod('a-b', IDLE)]);
    expect(Object.keys(services)).toEqual(expect.arrayContaining(['a', 'b_a', 'a___b', 'a-b']));
  });

  it("on the host's network is left out, and said so", async () => {
    const spec = specOf([pod('agent', { ...IDLE, hostNetwork: true }), pod('web', IDLE)]);
    const { text, warnings } = await composeFile(spec, 'lab');
    expect(Object.keys((parse(text) as File).services)).not.toContain('agent');
    expect(warnings.join()).toContain("default/agent: pods on the host's network have no container");
  });

  it('with an address of another network is refused', async () => {
    const foreign = { ...pod('web', IDLE), status: { podIP: '192.168.7.1', phase: 'Running' } };
    await expect(composeFile(specOf([foreign]), 'lab')).rejects.toThrow(/default\/web: its address is 192\.168\.7\.1/);
  });
});

describe('with --images real', () => {
  const container = {
    name: 'main',
    image: 'curlimages/curl:8.10',
    command: ['sh', '-c', 'echo $HOME'],
    env: [{ name: 'PRICE', value: '$5' }],
    workingDir: '/srv/$x',
  };

  it("containers are of the manifest's image, its command and environment unchanged", async () => {
    const file = await compose([pod('client', { containers: [container] })], 'real');
    expect(service(file, 'client__proxy').command).not.toContain('--shown'); // no shell of its own need be in an image
    expect(service(file, 'client')).toMatchObject({
      image: 'curlimages/curl:8.10',
      entrypoint: ['sh', '-c', 'echo $$HOME'],
      environment: { PRICE: '$$5' },
      working_dir: '/srv/$$x',
    });
  });

  it('an image keeps its own command if the manifest has none', async () => {
    const web = service(
      await compose([pod('web', { containers: [{ name: 'nginx', image: 'nginx' }] })], 'real'),
      'web',
    );
    expect([web.image, web.entrypoint, web.command]).toEqual(['nginx', undefined, undefined]);
  });

  it("the name server is the lab's own all the same", async () => {
    const { services } = await compose([pod('client', IDLE)], 'real');
    const dns = Object.entries(services).find(([name]) => /^kube-system_coredns-[a-z0-9-]+$/.test(name));
    expect(dns?.[1].entrypoint).toContain('netpol-lab container dns');
  });
});

describe('rights', () => {
  const external = [
    { name: 'api.example.com', addresses: ['10.0.0.10'], ports: [{ protocol: 'TCP', port: 443 }] },
  ] as const;

  it.each(['lab', 'real'] as const)(
    'with --images %s only what sets up a network may, and nothing more',
    async (images) => {
      const { services } = await compose([pod('client', IDLE)], images, { external });
      for (const [name, { cap_add: added = [], cap_drop: dropped, privileged, volumes = [], user }] of Object.entries(
        services,
      )) {
        const ofNetwork = name.endsWith('__proxy') || name.startsWith('outside__');
        expect([name, added]).toEqual([name, ofNetwork ? ['NET_ADMIN'] : []]);
        expect([name, user]).toEqual([name, ofNetwork ? 'root' : undefined]);
        expect([name, dropped]).toEqual([name, images === 'real' && name === 'client' ? ['NET_RAW'] : ['ALL']]);
        expect([name, privileged, volumes.filter((volume) => volume.startsWith('/'))]).toEqual([name, undefined, []]);
      }
    },
  );
});
