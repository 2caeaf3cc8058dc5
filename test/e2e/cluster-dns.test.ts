import { beforeAll, describe, expect, it } from 'vitest';
import type { ExternalHost } from '../../src/lab/lab-client.ts';
import { parsePort } from '../../src/net/port.ts';
import { pod, policy, service, serving, useLab } from './cli-fixture.ts';

// 100 A records are 1.6 kB: more than the 512 bytes of plain DNS and the 1,232 of dig's EDNS.
const MANY = Array.from({ length: 100 }, (_, index) => `198.51.100.${index + 1}`);

const EXTERNAL: ExternalHost[] = [
  {
    name: 'api.example.com',
    addresses: ['203.0.113.10', '2001:db8::10'],
    ports: [{ protocol: 'TCP', port: portNumber(80) }],
  },
  { name: 'many.example.com', addresses: MANY, ports: [] },
];

function portNumber(number: number) {
  const port = parsePort(number);
  if (port === undefined) throw new Error(`${number} is no port`);
  return port;
}

const STATEFUL_SET = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db' },
  spec: {
    serviceName: 'db',
    replicas: 2,
    selector: { matchLabels: { app: 'db' } },
    template: { metadata: { labels: { app: 'db' } }, spec: { containers: [serving('sql=5432/TCP')] } },
  },
};

const lab = useLab({
  external: EXTERNAL,
  manifests: [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
    pod('client'),
    pod('strict'),
    pod('web', { containers: [serving('80/TCP')] }),
    service('web', {
      clusterIP: '10.96.0.80',
      clusterIPs: ['10.96.0.80', 'fd00:10:96::80'],
      ports: [{ name: 'http', port: 80 }],
    }),
    service('cart', { clusterIP: '10.96.0.81', ipFamilyPolicy: 'SingleStack', ports: [{ port: 80 }] }, 'shop'),
    STATEFUL_SET,
    service('db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] }),
    service('outside', {
      type: 'ExternalName',
      externalName: 'api.example.com',
      selector: undefined,
      ipFamilyPolicy: undefined,
    }),
  ],
});

interface Lookup {
  readonly name: string;
  readonly command: string;
  /** Lines of the answer, in any order. */
  readonly lines: () => readonly string[];
}

const addresses = new Map<string, readonly string[]>();

beforeAll(async () => {
  const { pods } = await lab.status();
  for (const each of pods) addresses.set(each.name, each.addresses);
});

function addressOf(name: string, family: 4 | 6): string {
  return addresses.get(name)?.[family === 4 ? 0 : 1] ?? `no address of ${name}`;
}

const LOOKUPS: readonly Lookup[] = [
  { name: 'A of a Service', command: 'dig +short web.default.svc.cluster.local', lines: () => ['10.96.0.80'] },
  {
    name: 'AAAA of a Service',
    command: 'dig +short AAAA web.default.svc.cluster.local',
    lines: () => ['fd00:10:96::80'],
  },
  {
    name: 'a name of one label, by the search domains',
    command: 'dig +search +short web',
    lines: () => ['10.96.0.80'],
  },
  { name: 'SERVICE.NAMESPACE', command: 'dig +search +short cart.shop', lines: () => ['10.96.0.81'] },
  { name: 'SERVICE.NAMESPACE.svc', command: 'dig +search +short cart.shop.svc', lines: () => ['10.96.0.81'] },
  { name: 'a Service of another namespace has no short name', command: 'dig +search +short cart', lines: () => [] },
  {
    name: 'SRV of a named port',
    command: 'dig +short SRV _http._tcp.web.default.svc.cluster.local',
    lines: () => ['0 100 80 web.default.svc.cluster.local.'],
  },
  {
    name: 'SRV of a headless Service',
    command: 'dig +short SRV _sql._tcp.db.default.svc.cluster.local',
    lines: () => ['0 50 5432 db-0.db.default.svc.cluster.local.', '0 50 5432 db-1.db.default.svc.cluster.local.'],
  },
  { name: 'PTR of a Service', command: 'dig +short -x 10.96.0.80', lines: () => ['web.default.svc.cluster.local.'] },
  {
    name: 'PTR of a Service over IPv6',
    command: 'dig +short -x fd00:10:96::80',
    lines: () => ['web.default.svc.cluster.local.'],
  },
  {
    name: 'a headless Service',
    command: 'dig +short db.default.svc.cluster.local',
    lines: () => [addressOf('db-0', 4), addressOf('db-1', 4)],
  },
  {
    name: 'a pod of a StatefulSet',
    command: 'dig +short db-1.db.default.svc.cluster.local',
    lines: () => [addressOf('db-1', 4)],
  },
  {
    name: 'a pod of a StatefulSet, AAAA',
    command: 'dig +search +short AAAA db-0.db',
    lines: () => [addressOf('db-0', 6)],
  },
  {
    name: 'ExternalName, with what it points to',
    command: 'dig +short outside.default.svc.cluster.local',
    lines: () => ['api.example.com.', '203.0.113.10'],
  },
  { name: 'a host outside, A', command: 'dig +short api.example.com', lines: () => ['203.0.113.10'] },
  { name: 'a host outside, AAAA', command: 'dig +short AAAA api.example.com', lines: () => ['2001:db8::10'] },
  { name: 'by TCP', command: 'dig +tcp +short web.default.svc.cluster.local', lines: () => ['10.96.0.80'] },
  { name: 'a large answer, over TCP by itself', command: 'dig +short many.example.com', lines: () => MANY },
  { name: 'a large answer without EDNS', command: 'dig +noedns +short many.example.com', lines: () => MANY },
  { name: 'a large answer by TCP', command: 'dig +tcp +short many.example.com', lines: () => MANY },
];

describe('what names resolve to', () => {
  it.concurrent.each(LOOKUPS)('$name', async ({ command, lines }) => {
    const { stdout, stderr, exit } = await lab.exec('client', command);
    const answer = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';'));
    expect({ exit, answer: answer.sort() }, stderr).toEqual({ exit: 0, answer: [...lines()].sort() });
  });

  it('says NXDOMAIN for names that are none', async () => {
    for (const name of ['nosuch', 'nosuch.default.svc.cluster.local', 'nosuch.example.com']) {
      const { exit, stdout } = await lab.exec('client', `nslookup ${name}`);
      expect(stdout).toContain(`** server can't find ${name}: NXDOMAIN`);
      expect(exit).toBe(1);
    }
  });

  it.each([
    { name: 'web', lines: ['Name:\tweb.default.svc.cluster.local', 'Address: 10.96.0.80', 'Address: fd00:10:96::80'] },
    { name: 'cart.shop', lines: ['Name:\tcart.shop.svc.cluster.local', 'Address: 10.96.0.81'] },
    { name: 'kube-dns.kube-system', lines: ['Name:\tkube-dns.kube-system.svc.cluster.local', 'Address: 10.96.0.10'] },
    { name: 'outside', lines: ['canonical name = api.example.com.', 'Address: 203.0.113.10', 'Address: 2001:db8::10'] },
    { name: '10.96.0.80', lines: ['80.0.96.10.in-addr.arpa\tname = web.default.svc.cluster.local.'] },
    { name: '-type=SRV _http._tcp.web', lines: ['service = 0 100 80 web.default.svc.cluster.local.'] },
  ])('nslookup $name', async ({ name, lines }) => {
    const { stdout, exit } = await lab.exec('client', `nslookup ${name}`);
    for (const line of lines) expect(stdout).toContain(line);
    expect(stdout).not.toMatch(/NXDOMAIN|timed out|SERVFAIL/);
    expect(exit).toBe(0);
  });

  it('answers nothing, but not NXDOMAIN, for a family that a name has no address of', async () => {
    const { stdout } = await lab.exec('client', 'dig AAAA cart.shop.svc.cluster.local');
    expect(stdout).toMatch(/status: NOERROR/);
    expect(stdout).toMatch(/ANSWER: 0/);
  });

  it('serves the resolver of the C library, whose large answers come by TCP', async () => {
    const { stdout, exit } = await lab.exec('client', 'getent ahostsv4 many.example.com');
    expect(exit).toBe(0);
    expect(new Set(stdout.split('\n').flatMap((line) => /^\S+/.exec(line) ?? []))).toEqual(new Set(MANY));
  });

  it('serves node and curl by name', async () => {
    const script = 'require("dns").lookup("db-0.db", 4, (error, address) => console.log(error ?? address))';
    const { stdout } = await lab.exec('client', [process.execPath, '-e', script]);
    expect(stdout.trim()).toBe(addressOf('db-0', 4));
    const curl = await lab.exec('client', 'curl -sS -m 3 http://outside');
    expect(curl.stdout, curl.stderr).toContain('host: api.example.com');
  });

  it('knows new Services and forgets deleted ones at once', async () => {
    await lab.apply(
      service('fresh', {
        selector: { app: 'web' },
        clusterIP: '10.96.0.99',
        ipFamilyPolicy: 'SingleStack',
        ports: [{ port: 80 }],
      }),
    );
    const there = await lab.exec('client', 'dig +search +short fresh');
    expect(there.stdout).toBe('10.96.0.99\n');
    await lab.run('delete', ['service', 'fresh']);
    const gone = await lab.exec('client', 'dig +search +short fresh');
    expect(gone.stdout).toBe('');
  });
});

const DIG = 'dig +tries=1 +timeout=1 +short web.default.svc.cluster.local';
const TO_KUBE_DNS = {
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
  podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
};

describe('kube-dns is a pod that policies select', () => {
  it.each([
    { egress: 'nothing', rules: [], udp: false, tcp: false },
    { egress: 'kube-dns by UDP', rules: [{ to: [TO_KUBE_DNS], ports: ports('UDP') }], udp: true, tcp: false },
    { egress: 'kube-dns by TCP', rules: [{ to: [TO_KUBE_DNS], ports: ports('TCP') }], udp: false, tcp: true },
    { egress: 'kube-dns by both', rules: [{ to: [TO_KUBE_DNS], ports: ports('UDP', 'TCP') }], udp: true, tcp: true },
    { egress: 'other pods of this namespace', rules: [{ to: [{ podSelector: {} }] }], udp: false, tcp: false },
    {
      egress: "kube-dns' Service address",
      rules: [{ to: [{ ipBlock: { cidr: '10.96.0.10/32' } }] }],
      udp: false,
      tcp: false,
    },
  ])('egress to $egress: dig $udp, dig +tcp $tcp', async ({ rules, udp, tcp }) => {
    await lab.apply(policy('strict', 'strict', { policyTypes: ['Egress'], egress: rules }));
    const [plain, byTcp] = await Promise.all([
      lab.exec('strict', DIG),
      lab.exec('strict', DIG.replace('dig', 'dig +tcp')),
    ]);
    expect({ udp: plain.stdout === '10.96.0.80\n', tcp: byTcp.stdout === '10.96.0.80\n' }).toEqual({ udp, tcp });
    expect({ udp: plain.exit, tcp: byTcp.exit }).toEqual({ udp: udp ? 0 : 9, tcp: tcp ? 0 : 9 });
  });

  it('cannot serve those whom a policy on it does not let in', async () => {
    await lab.run('delete', ['netpol', 'strict']);
    const onlyClient = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'dns', namespace: 'kube-system' },
      spec: {
        podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
        ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: 'client' } } }] }],
      },
    };
    await lab.apply(onlyClient);
    const [allowed, denied] = await Promise.all([lab.exec('client', DIG), lab.exec('strict', DIG)]);
    expect([allowed.exit, denied.exit]).toEqual([0, 9]);
  });
});

function ports(...protocols: readonly string[]): object[] {
  return protocols.map((protocol) => ({ protocol, port: 53 }));
}
