import type { Service, ServicePort } from '../../src/model/service.ts';
import { buildZone, type Zone } from '../../src/dns/zone.ts';
import type { Pod } from '../../src/model/pod.ts';
import { ip } from '../builders/address.ts';
import { cluster, namespace } from '../builders/cluster.ts';
import { pod } from '../builders/pod.ts';
import { service, servicePort } from '../builders/service.ts';

/** A port of a Service with a name. */
function named(name: string, notation: string): ServicePort {
  return { ...servicePort(notation), name };
}

/** An ExternalName Service of the namespace `default`. */
function alias(name: string, target: string): Service {
  return { ...service({ name }), kind: { kind: 'external', name: target } };
}

/** A pod of the StatefulSet `db`, a member of the headless Service `db`. */
function member(name: string, ...addresses: string[]): Pod {
  return { ...pod({ name, labels: { app: 'db' }, ip: addresses, ports: ['sql=5432'] }), subdomain: 'db' };
}

const PODS = [
  pod({ name: 'web-1', labels: { app: 'web' }, ip: ['10.244.0.11', 'fd00:10:244::b'], ports: ['http=8080'] }),
  pod({ name: 'web-2', labels: { app: 'web' }, ip: '10.244.0.12', ports: ['http=9090'] }),
  pod({ name: 'web-unready', labels: { app: 'web' }, ip: '10.244.0.13', ports: ['http=8080'] }),
  member('db-0', '10.244.0.21', 'fd00:10:244::15'),
  member('db-1', '10.244.0.22'),
  member('db-unready', '10.244.0.23'),
];

const SERVICES = [
  { ...service({ namespace: 'kube-system', name: 'kube-dns', ip: '10.96.0.10' }), ports: [named('dns', '53/UDP')] },
  {
    ...service({ name: 'web', ip: ['10.96.0.20', 'fd00:10:96::14'], pods: { app: 'web' } }),
    ports: [named('http', '80:http'), servicePort('443')],
  },
  { ...service({ name: 'db', pods: { app: 'db' } }), ports: [named('sql', '5432:sql')] },
  { ...service({ name: 'db-all', pods: { app: 'db' } }), publishNotReadyAddresses: true },
  { ...service({ name: 'web-each', pods: { app: 'web' } }), ports: [named('http', '80:http')] },
  service({ name: 'nobody', pods: { app: 'none' } }),
  service({ name: 'pending', ip: [] }),
  alias('to-web', 'Web.default.svc.cluster.local.'),
  alias('to-outside', 'www.example.com'),
  alias('to-unknown', 'nowhere.example.org'),
  alias('to-missing', 'missing.default.svc.cluster.local'),
  alias('to-address', '192.0.2.1'),
  alias('to-nonsense', 'not..a.name'),
  alias('loop-a', 'loop-b.default.svc.cluster.local'),
  alias('loop-b', 'loop-a.default.svc.cluster.local'),
];

const EXTERNAL = [
  { name: 'www.Example.com', addresses: [ip('192.0.2.80'), ip('2001:db8::80')] },
  { name: 'web.default.svc.cluster.local', addresses: [ip('192.0.2.66')] },
  { name: `${'x'.repeat(64)}.example.com`, addresses: [ip('192.0.2.67')] },
];

/** A zone with a Service of each kind, ready and unready pods, and hosts outside. */
export function exampleZone(): Zone {
  return buildZone({
    cluster: cluster({ namespaces: [namespace('empty')], pods: PODS, services: SERVICES }),
    isReady: ({ name }) => !name.endsWith('-unready'),
    external: EXTERNAL,
    serial: 7,
  });
}

/** A zone whose headless Service big.default has this many endpoints, from 10.250.0.0 upwards. */
export function crowdedZone(endpoints: number): Zone {
  const pods = Array.from({ length: endpoints }, (_, index) =>
    pod({ name: `big-${index}`, labels: { app: 'big' }, ip: `10.250.${index >>> 8}.${index & 255}` }),
  );
  return buildZone({
    cluster: cluster({
      pods,
      services: [{ ...service({ name: 'big', pods: { app: 'big' } }), ports: [named('http', '80')] }],
    }),
    isReady: () => true,
    external: [],
    serial: 1,
  });
}
