import type { Cluster, Namespace } from '../model/cluster.ts';
import { invariant } from '../model/invariant.ts';
import type { Pod } from '../model/pod.ts';
import type { Labels } from '../model/selector.ts';
import { fromWords, type IpAddress } from '../net/ip.ts';
import { parsePort, type Port, type Protocol } from '../net/port.ts';
import { Seeded } from './seeded.ts';
import { workloadPolicies, type Scale } from './workload-policies.ts';

/** The scales at which the table is measured. */
export const SCALES = {
  S: { pods: 100, policies: 50, cidrs: 100 },
  M: { pods: 1_000, policies: 500, cidrs: 1_000 },
  L: { pods: 10_000, policies: 2_000, cidrs: 10_000 },
  XL: { pods: 100_000, policies: 10_000, cidrs: 100_000 },
} as const satisfies Record<string, Scale>;

/** The name of a scale. */
export type ScaleName = keyof typeof SCALES;

// What clusters of these sizes look like: https://kubernetes.io/docs/setup/best-practices/cluster-large names
// 110 pods a node; ten replicas a workload and twenty workloads a namespace are our choice.
const PODS_PER_NODE = 110;
const REPLICAS = 10;
const WORKLOADS_PER_NAMESPACE = 20;

const TIERS = ['web', 'api', 'worker', 'db', 'cache', 'batch'];
const TEAMS = Array.from({ length: 40 }, (_, index) => `team-${index}`);
const ENVIRONMENTS = ['prod', 'prod', 'prod', 'staging', 'dev'];
const NAMED_PORTS: readonly (readonly [name: string, number: number])[] = [
  ['http', 8080],
  ['http', 80],
  ['metrics', 9090],
  ['grpc', 50051],
  ['postgres', 5432],
];
const SOURCE = { file: 'workload.yaml', line: 1 };

/** A cluster of that scale. Of one seed it is always the same. */
export function workload(scale: Scale, seed: number): Cluster {
  const random = new Seeded(seed);
  const namespaces = Math.max(2, Math.ceil(scale.pods / REPLICAS / WORKLOADS_PER_NAMESPACE));
  const list = Array.from({ length: namespaces }, (_, index) => namespaceOf(random, index));
  const workloads = Math.ceil(scale.pods / REPLICAS);
  const pods: Pod[] = [];
  for (let index = 0; index < workloads; index++) {
    const namespace = list[index % namespaces]?.name ?? '';
    const template = templateOf(random, index);
    const replicas = Math.min(REPLICAS, scale.pods - pods.length);
    // Replicas spread over the nodes.
    for (let replica = 0; replica < replicas; replica++) {
      pods.push(podOf({ ...template, namespace, index, replica, place: replica * workloads + index }));
    }
  }
  return {
    namespaces: new Map(list.map((each) => [each.name, each])),
    pods,
    services: [],
    policies: workloadPolicies(random, { scale, namespaces: list, workloads, tiers: TIERS, teams: TEAMS }),
  };
}

function namespaceOf(random: Seeded, index: number): Namespace {
  const name = `ns-${index}`;
  const labels = new Map([
    ['kubernetes.io/metadata.name', name],
    ['team', random.pick(TEAMS)],
    ['env', random.pick(ENVIRONMENTS)],
  ]);
  if (random.chance(0.3)) labels.set('restricted', 'true');
  return { name, labels };
}

interface Template {
  readonly labels: Labels;
  readonly ports: readonly { readonly name: string; readonly port: Port; readonly protocol: Protocol }[];
  readonly isDualStack: boolean;
}

function templateOf(random: Seeded, index: number): Template {
  const labels = new Map([
    ['app', `app-${index}`],
    ['tier', random.pick(TIERS)],
  ]);
  if (random.chance(0.5)) labels.set('release', random.pick(['stable', 'canary']));
  if (random.chance(0.2)) labels.set('exposed', 'true');
  const [name, number] = random.pick(NAMED_PORTS);
  return {
    labels,
    ports: [{ name, port: portOf(number), protocol: 'TCP' }],
    isDualStack: random.chance(0.25),
  };
}

function podOf(pod: Template & { readonly namespace: string; index: number; replica: number; place: number }): Pod {
  const { namespace, index, replica, place, labels, ports, isDualStack } = pod;
  const node = Math.floor(place / PODS_PER_NODE);
  const host = (place % PODS_PER_NODE) + 2;
  const name = `app-${index}-${replica}`;
  return {
    namespace,
    name,
    labels,
    annotations: new Map(),
    owner: { kind: 'Deployment', name: `app-${index}` },
    phase: 'Running',
    addresses: [
      fromWords([(0x0a000000 + node * 256 + host) >>> 0]), // 10.0.0.0/8, a /24 for each node
      ...(isDualStack ? [fromWords([0xfd000001, node, 0, host])] : []),
    ],
    nodeAddresses: [nodeAddress(node)],
    hostNetwork: false,
    restartPolicy: 'Always',
    hostname: name,
    subdomain: '',
    resolver: { ofCluster: true, nameServers: [], searches: [], options: [] },
    hostAliases: [],
    containers: [
      {
        name: 'main',
        role: 'main',
        image: 'registry.example/app:1',
        command: [],
        args: [],
        workingDir: '',
        env: [],
        ports,
        ...{ stdin: false, stdinOnce: false, tty: false },
        readiness: { kind: 'none' },
      },
    ],
    source: SOURCE,
  };
}

function nodeAddress(node: number): IpAddress {
  return fromWords([(0xac100000 + node + 1) >>> 0]); // 172.16.0.0/12
}

/** The port of that number; it must be one. */
export function portOf(number: number): Port {
  const port = parsePort(number);
  invariant(port, `${number} is a port`);
  return port;
}
