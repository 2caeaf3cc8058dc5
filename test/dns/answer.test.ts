import { describe, expect, it } from 'vitest';
import { ask } from './dns-message.ts';
import { exampleZone } from './example-zone.ts';

const zone = exampleZone();

const SOA = 'cluster.local 5 SOA ns.dns.cluster.local hostmaster.cluster.local 7';
const WEB = 'web.default.svc.cluster.local';
const DB = 'db.default.svc.cluster.local';

/** Name, type, and the answers in their order. */
type Found = readonly [name: string, type: string, answers: readonly string[]];

const CLUSTER_ANSWERS: Readonly<Record<string, Found>> = {
  'ClusterIP, IPv4': [WEB, 'A', [`${WEB} 5 A 10.96.0.20`]],
  'ClusterIP, IPv6': [WEB, 'AAAA', [`${WEB} 5 AAAA fd00:10:96::14`]],
  'the case of the question is kept': [
    'WeB.Default.SVC.cluster.LOCAL',
    'A',
    ['WeB.Default.SVC.cluster.LOCAL 5 A 10.96.0.20'],
  ],
  'headless: ready endpoints': [DB, 'A', [`${DB} 5 A 10.244.0.21`, `${DB} 5 A 10.244.0.22`]],
  'headless, IPv6': [DB, 'AAAA', [`${DB} 5 AAAA fd00:10:244::15`]],
  'headless with publishNotReadyAddresses': [
    'db-all.default.svc.cluster.local',
    'A',
    [21, 22, 23].map((host) => `db-all.default.svc.cluster.local 5 A 10.244.0.${host}`),
  ],
  'endpoint by hostname': [`db-0.${DB}`, 'A', [`db-0.${DB} 5 A 10.244.0.21`]],
  'endpoint by hostname, IPv6': [`db-0.${DB}`, 'AAAA', [`db-0.${DB} 5 AAAA fd00:10:244::15`]],
  'endpoint by address': [
    '10-244-0-12.web-each.default.svc.cluster.local',
    'A',
    ['10-244-0-12.web-each.default.svc.cluster.local 5 A 10.244.0.12'],
  ],
  'endpoint by address, IPv6': [
    'fd00-10-244--b.web-each.default.svc.cluster.local',
    'AAAA',
    ['fd00-10-244--b.web-each.default.svc.cluster.local 5 AAAA fd00:10:244::b'],
  ],
  'endpoint of a subdomain that is another Service, by address': [
    '10-244-0-21.db-all.default.svc.cluster.local',
    'A',
    ['10-244-0-21.db-all.default.svc.cluster.local 5 A 10.244.0.21'],
  ],
  'endpoint behind a ClusterIP': [`10-244-0-11.${WEB}`, 'A', [`10-244-0-11.${WEB} 5 A 10.244.0.11`]],
  'SRV of a ClusterIP: the Service and its port': [
    `_http._tcp.${WEB}`,
    'SRV',
    [`_http._tcp.${WEB} 5 SRV 0 100 80 ${WEB}`],
  ],
  'SRV in capitals': [`_HTTP._TCP.${WEB}`, 'SRV', [`_HTTP._TCP.${WEB} 5 SRV 0 100 80 ${WEB}`]],
  'SRV of a Service: all its ports': [WEB, 'SRV', [`${WEB} 5 SRV 0 50 80 ${WEB}`, `${WEB} 5 SRV 0 50 443 ${WEB}`]],
  'SRV of a headless Service: a hostname once, though it has two addresses': [
    `_sql._tcp.${DB}`,
    'SRV',
    [`_sql._tcp.${DB} 5 SRV 0 50 5432 db-0.${DB}`, `_sql._tcp.${DB} 5 SRV 0 50 5432 db-1.${DB}`],
  ],
  'SRV of a headless Service: ports of the pods, a name an address': [
    '_http._tcp.web-each.default.svc.cluster.local',
    'SRV',
    [
      '_http._tcp.web-each.default.svc.cluster.local 5 SRV 0 33 8080 10-244-0-11.web-each.default.svc.cluster.local',
      '_http._tcp.web-each.default.svc.cluster.local 5 SRV 0 33 9090 10-244-0-12.web-each.default.svc.cluster.local',
      '_http._tcp.web-each.default.svc.cluster.local 5 SRV 0 33 8080 fd00-10-244--b.web-each.default.svc.cluster.local',
    ],
  ],
  'PTR of a ClusterIP': ['20.0.96.10.in-addr.arpa', 'PTR', [`20.0.96.10.in-addr.arpa 5 PTR ${WEB}`]],
  'PTR of an IPv6 ClusterIP': [
    '4.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa',
    'PTR',
    [`4.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa 5 PTR ${WEB}`],
  ],
  'PTR of an endpoint of two Services': [
    '22.0.244.10.in-addr.arpa',
    'PTR',
    [
      `22.0.244.10.in-addr.arpa 5 PTR db-1.${DB}`,
      '22.0.244.10.in-addr.arpa 5 PTR 10-244-0-22.db-all.default.svc.cluster.local',
    ],
  ],
  'ExternalName into the cluster': [
    'to-web.default.svc.cluster.local',
    'A',
    [`to-web.default.svc.cluster.local 5 CNAME ${WEB}`, `${WEB} 5 A 10.96.0.20`],
  ],
  'ExternalName to a host outside': [
    'to-outside.default.svc.cluster.local',
    'AAAA',
    ['to-outside.default.svc.cluster.local 5 CNAME www.example.com', 'www.example.com 30 AAAA 2001:db8::80'],
  ],
  'ExternalName itself': [
    'to-outside.default.svc.cluster.local',
    'CNAME',
    ['to-outside.default.svc.cluster.local 5 CNAME www.example.com'],
  ],
  'ExternalName to a host without such records': [
    'to-outside.default.svc.cluster.local',
    'TXT',
    ['to-outside.default.svc.cluster.local 5 CNAME www.example.com'],
  ],
  'pod by address, whether or not there is one': [
    '10-244-9-9.default.pod.cluster.local',
    'A',
    ['10-244-9-9.default.pod.cluster.local 5 A 10.244.9.9'],
  ],
  'pod by IPv6 address': [
    'fd00-10-244--b.default.pod.cluster.local',
    'AAAA',
    ['fd00-10-244--b.default.pod.cluster.local 5 AAAA fd00:10:244::b'],
  ],
  'pod in a namespace without objects': [
    '10-244-0-1.empty.pod.cluster.local',
    'A',
    ['10-244-0-1.empty.pod.cluster.local 5 A 10.244.0.1'],
  ],
  'version of the schema': ['dns-version.cluster.local', 'TXT', ['dns-version.cluster.local 28800 TXT 1.1.0']],
  'SOA of the cluster domain': ['cluster.local', 'SOA', [SOA]],
  'NS of the cluster domain': ['cluster.local', 'NS', ['cluster.local 5 NS kube-dns.kube-system.svc.cluster.local']],
  'the name server by the name that SOA gives it': [
    'ns.dns.cluster.local',
    'A',
    ['ns.dns.cluster.local 5 A 10.96.0.10'],
  ],
  'ANY: one type of those that are there': [WEB, 'ANY', [`${WEB} 5 A 10.96.0.20`]],
};

describe('what the cluster knows', () => {
  it.each(Object.entries(CLUSTER_ANSWERS))('%s', (_, [name, type, answers]) => {
    expect(ask(zone, name, type)).toMatchObject({
      rcode: 'NOERROR',
      flags: 'AA RD',
      questions: [`${name} ${type}`],
      answers,
      authorities: [],
    });
  });
});

describe('hosts outside the cluster', () => {
  const OUTSIDE: Readonly<Record<string, Found>> = {
    IPv4: ['www.example.com', 'A', ['www.example.com 30 A 192.0.2.80']],
    IPv6: ['www.example.com', 'AAAA', ['www.example.com 30 AAAA 2001:db8::80']],
    PTR: ['80.2.0.192.in-addr.arpa', 'PTR', ['80.2.0.192.in-addr.arpa 30 PTR www.example.com']],
    'another type': ['www.example.com', 'TXT', []],
    'a domain above a host': ['example.com', 'A', []],
  };
  it.each(Object.entries(OUTSIDE))('%s', (_, [name, type, answers]) => {
    expect(ask(zone, name, type)).toMatchObject({ rcode: 'NOERROR', flags: 'RD RA', answers, authorities: [] });
  });

  it.each([
    'nowhere.example.org',
    'ftp.example.com',
    'localhost',
    'web',
    'web.default',
    'web.default.svc',
    'notcluster.local',
    '1.2.0.192.in-addr.arpa',
    '67.2.0.192.in-addr.arpa',
  ])('%s does not exist, and there is no upstream to ask', (name) => {
    expect(ask(zone, name, 'A')).toMatchObject({ rcode: 'NXDOMAIN', flags: 'RD RA', answers: [], authorities: [] });
  });

  it('cannot take a name of the cluster domain', () => {
    expect(ask(zone, WEB, 'A').answers).toEqual([`${WEB} 5 A 10.96.0.20`]);
  });
});

describe('a name that exists without such a record', () => {
  it.each([
    ['another family', 'kube-dns.kube-system.svc.cluster.local', 'AAAA'],
    ['another type', WEB, 'MX'],
    ['a type that no one knows', WEB, 'UNKNOWN_65'],
    ['the address of a port', `_http._tcp.${WEB}`, 'A'],
    ['a protocol of a Service', `_tcp.${WEB}`, 'SRV'],
    ['a namespace of Services', 'default.svc.cluster.local', 'A'],
    ['a namespace without Services', 'empty.svc.cluster.local', 'A'],
    ['a namespace of pods', 'empty.pod.cluster.local', 'A'],
    ['all Services', 'svc.cluster.local', 'A'],
    ['all pods', 'pod.cluster.local', 'A'],
    ['the domain', 'cluster.local', 'A'],
    ['an IPv4 pod by IPv6', '10-244-0-1.default.pod.cluster.local', 'AAAA'],
    ['a Service without address yet', 'pending.default.svc.cluster.local', 'A'],
  ])('%s', (_, name, type) => {
    expect(ask(zone, name, type)).toMatchObject({
      rcode: 'NOERROR',
      flags: 'AA RD',
      answers: [],
      authorities: [SOA],
      additionals: [],
    });
  });
});

describe('a name of the cluster that does not exist', () => {
  it.each([
    ['a Service', 'missing.default.svc.cluster.local'],
    ['a Service that nobody declared', 'kubernetes.default.svc.cluster.local'],
    ['a namespace', 'web.missing.svc.cluster.local'],
    ['a namespace of pods', '10-244-0-1.missing.pod.cluster.local'],
    ['a headless Service without endpoints', 'nobody.default.svc.cluster.local'],
    ['an unready endpoint', `db-unready.${DB}`],
    ['an endpoint by address that has a hostname', `10-244-0-21.${DB}`],
    ['a pod by something that is no address', '10-244-0-300.default.pod.cluster.local'],
    ['a pod by name', 'web-1.default.pod.cluster.local'],
    ['a port', `_ftp._tcp.${WEB}`],
    ['a port of another protocol', `_http._udp.${WEB}`],
    ['a port without a name', `_._tcp.${WEB}`],
    ['a name below a Service', `a.b.c.${WEB}`],
    ['what a search domain makes of an external name', 'www.example.com.default.svc.cluster.local'],
    ['an ExternalName that is an address', 'to-address.default.svc.cluster.local'],
    ['an ExternalName that is no name', 'to-nonsense.default.svc.cluster.local'],
    ['a word in the domain', 'nonsense.cluster.local'],
  ])('%s', (_, name) => {
    expect(ask(zone, name, 'A')).toMatchObject({
      rcode: 'NXDOMAIN',
      flags: 'AA RD',
      answers: [],
      authorities: [SOA],
    });
  });
});

describe('an ExternalName that leads nowhere', () => {
  it('says so of a host outside', () => {
    expect(ask(zone, 'to-unknown.default.svc.cluster.local', 'A')).toMatchObject({
      rcode: 'NXDOMAIN',
      answers: ['to-unknown.default.svc.cluster.local 5 CNAME nowhere.example.org'],
      authorities: [],
    });
  });

  it('says so of a Service', () => {
    expect(ask(zone, 'to-missing.default.svc.cluster.local', 'A')).toMatchObject({
      rcode: 'NXDOMAIN',
      answers: ['to-missing.default.svc.cluster.local 5 CNAME missing.default.svc.cluster.local'],
      authorities: [SOA],
    });
  });

  it('ends in a circle', () => {
    expect(ask(zone, 'loop-a.default.svc.cluster.local', 'A').answers).toEqual([
      'loop-a.default.svc.cluster.local 5 CNAME loop-b.default.svc.cluster.local',
      'loop-b.default.svc.cluster.local 5 CNAME loop-a.default.svc.cluster.local',
    ]);
  });
});

describe('additional records', () => {
  it.each([
    ['SRV of a ClusterIP', `_http._tcp.${WEB}`, 'SRV', [`${WEB} 5 A 10.96.0.20`, `${WEB} 5 AAAA fd00:10:96::14`]],
    [
      'SRV of a headless Service',
      `_sql._tcp.${DB}`,
      'SRV',
      [`db-0.${DB} 5 A 10.244.0.21`, `db-0.${DB} 5 AAAA fd00:10:244::15`, `db-1.${DB} 5 A 10.244.0.22`],
    ],
    ['SRV of all ports: each host once', WEB, 'SRV', [`${WEB} 5 A 10.96.0.20`, `${WEB} 5 AAAA fd00:10:96::14`]],
    ['NS', 'cluster.local', 'NS', ['kube-dns.kube-system.svc.cluster.local 5 A 10.96.0.10']],
  ])('%s', (_, name, type, additionals) => {
    expect(ask(zone, name, type).additionals).toEqual(additionals);
  });
});
