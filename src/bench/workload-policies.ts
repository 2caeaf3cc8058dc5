import type { Namespace } from '../model/cluster.ts';
import type { BlockPeer, NetworkPolicy, Peer, PolicyPort, Rule } from '../model/policy.ts';
import type { Requirement, Selector } from '../model/selector.ts';
import { fromWords } from '../net/ip.ts';
import { parsePort, type Port } from '../net/port.ts';
import { bits, prefixOf, type Prefix } from '../net/prefix.ts';
import type { Seeded } from './seeded.ts';

/** How large a workload is. `cidrs` counts the distinct ones of all ipBlocks. */
export interface Scale {
  readonly pods: number;
  readonly policies: number;
  readonly cidrs: number;
}

/** What the policies of a workload are about. */
export interface PolicyGround {
  readonly scale: Scale;
  readonly namespaces: readonly Namespace[];
  readonly workloads: number;
  readonly tiers: readonly string[];
  readonly teams: readonly string[];
}

const SOURCE = { file: 'workload.yaml', line: 1 };
const PORTS = [80, 443, 8080, 8443, 53, 5432, 6379, 9090, 50051, 3306, 27017, 9092];
const PORT_NAMES = ['http', 'metrics', 'grpc', 'postgres'];
// Lengths of what allow lists name: mostly networks of providers and single hosts.
const LENGTHS = {
  4: [16, 18, 19, 20, 21, 22, 23, 24, 24, 24, 25, 26, 27, 28, 29, 30, 32, 32],
  6: [32, 40, 48, 56, 64],
};

/** The policies: of all directions, operators and kinds of peers, with all the CIDRs of the scale. */
export function workloadPolicies(random: Seeded, ground: PolicyGround): NetworkPolicy[] {
  const { scale } = ground;
  const cidrs = distinctCidrs(random, scale.cidrs);
  return Array.from({ length: scale.policies }, (_, index) => {
    const from = Math.floor((index * scale.cidrs) / scale.policies);
    const to = Math.floor(((index + 1) * scale.cidrs) / scale.policies);
    return policyOf(random, ground, { index, cidrs: cidrs.slice(from, to) });
  });
}

function policyOf(
  random: Seeded,
  ground: PolicyGround,
  { index, cidrs }: { index: number; cidrs: readonly Prefix[] },
): NetworkPolicy {
  const workload = random.below(ground.workloads);
  const namespace = ground.namespaces[workload % ground.namespaces.length]?.name ?? '';
  const blocks = cidrs.map((cidr) => blockOf(random, cidr));
  const direction = random.below(10); // 4 in 10 ingress, 3 egress, 3 both
  // Blocks go where the policy has rules: allow lists are mostly for egress.
  const egress = direction >= 4 ? rulesOf(random, ground, blocks) : undefined;
  const ingress = direction < 4 || direction >= 7 ? rulesOf(random, ground, egress ? [] : blocks) : undefined;
  return {
    namespace,
    name: `policy-${index}`,
    podSelector: subjectsOf(random, ground, workload),
    ingress: ingress ? { kind: 'isolates', rules: ingress } : { kind: 'ignored' },
    egress: egress ? { kind: 'isolates', rules: egress } : { kind: 'ignored' },
    source: SOURCE,
  };
}

/** Mostly one workload; sometimes a tier of the namespace or all of it. */
function subjectsOf(random: Seeded, { tiers }: PolicyGround, workload: number): Selector {
  switch (random.below(20)) {
    case 0:
      return { requirements: [] };
    case 1:
      return { requirements: [{ key: 'exposed', operator: 'DoesNotExist', values: [] }] };
    case 2:
    case 3:
      return { requirements: [{ key: 'tier', operator: 'In', values: [random.pick(tiers), random.pick(tiers)] }] };
    case 4:
      return { requirements: [{ key: 'release', operator: 'NotIn', values: ['canary'] }] };
    default:
      return { requirements: [{ key: 'app', operator: 'In', values: [`app-${workload}`] }] };
  }
}

function rulesOf(random: Seeded, ground: PolicyGround, blocks: readonly BlockPeer[]): Rule[] {
  const rules: Rule[] = [];
  const add = (peers: Rule['peers'], ports: Rule['ports']): void => {
    rules.push({ index: rules.length, peers, ports, source: SOURCE });
  };
  const own = 1 + random.below(2);
  for (let index = 0; index < own; index++) {
    const peers = Array.from({ length: 1 + random.below(2) }, () => peerOf(random, ground));
    add({ kind: 'list', peers }, portsOf(random));
  }
  if (blocks.length > 0) add({ kind: 'list', peers: blocks }, portsOf(random));
  if (random.chance(0.05)) add({ kind: 'any' }, { kind: 'list', ports: [numbered(53, 'UDP')] });
  return rules;
}

function peerOf(random: Seeded, { namespaces, workloads, tiers, teams }: PolicyGround): Peer {
  const pods: Selector = random.chance(0.6)
    ? { requirements: [{ key: 'app', operator: 'In', values: [`app-${random.below(workloads)}`] }] }
    : { requirements: [requirementOf(random, tiers)] };
  const byName = random.pick(namespaces).name;
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return { kind: 'pods', namespaces: { kind: 'own' }, pods, source: SOURCE };
    case 4:
    case 5:
    case 6:
      return selectedPeer({ key: 'kubernetes.io/metadata.name', operator: 'In', values: [byName] }, pods);
    case 7:
      return selectedPeer({ key: 'team', operator: 'In', values: [random.pick(teams)] }, { requirements: [] });
    case 8:
      return selectedPeer({ key: 'env', operator: 'NotIn', values: ['dev', 'staging'] }, pods);
    default:
      return selectedPeer({ key: 'restricted', operator: random.pick(['Exists', 'DoesNotExist']), values: [] }, pods);
  }
}

function selectedPeer(requirement: Requirement, pods: Selector): Peer {
  const selector = { requirements: [requirement] };
  return { kind: 'pods', namespaces: { kind: 'selected', selector }, pods, source: SOURCE };
}

function requirementOf(random: Seeded, tiers: readonly string[]): Requirement {
  switch (random.below(4)) {
    case 0:
      return { key: 'tier', operator: 'NotIn', values: [random.pick(tiers), random.pick(tiers)] };
    case 1:
      return { key: 'exposed', operator: 'Exists', values: [] };
    case 2:
      return { key: 'release', operator: 'DoesNotExist', values: [] };
    default:
      return { key: 'tier', operator: 'In', values: [random.pick(tiers)] };
  }
}

function portsOf(random: Seeded): Rule['ports'] {
  switch (random.below(10)) {
    case 0:
      return { kind: 'any' };
    case 1:
      return {
        kind: 'list',
        ports: [{ protocol: 'TCP', port: { kind: 'named', name: random.pick(PORT_NAMES) }, source: SOURCE }],
      };
    case 2: {
      const first = 1024 + random.below(60_000);
      return { kind: 'list', ports: [range(first, first + random.below(1000))] };
    }
    default:
      return {
        kind: 'list',
        ports: Array.from({ length: 1 + random.below(3) }, () =>
          numbered(random.pick(PORTS), random.chance(0.1) ? 'UDP' : 'TCP'),
        ),
      };
  }
}

function numbered(number: number, protocol: 'TCP' | 'UDP'): PolicyPort {
  return { ...range(number, number), protocol };
}

function range(first: number, last: number): PolicyPort {
  return {
    protocol: 'TCP',
    port: { kind: 'range', first: port(first), last: port(Math.min(last, 65535)) },
    source: SOURCE,
  };
}

function port(number: number): Port {
  const parsed = parsePort(number);
  if (parsed === undefined) throw new RangeError(`no port: ${number}`);
  return parsed;
}

function blockOf(random: Seeded, cidr: Prefix): BlockPeer {
  const longest = bits(cidr.family);
  const holes = cidr.length < longest - 4 && random.chance(0.1) ? 1 + random.below(2) : 0;
  const except = Array.from({ length: holes }, () => {
    const length = Math.min(longest, cidr.length + 1 + random.below(6));
    const words = cidr.words.map((word, index) =>
      cidr.family === 4 || index === 1 ? (word | (random.word() >>> (cidr.length % 32))) >>> 0 : word,
    );
    return prefixOf(fromWords(words), length);
  });
  return { kind: 'block', cidr, except: except.filter((hole) => isWithin(hole, cidr)), source: SOURCE };
}

function isWithin(inner: Prefix, outer: Prefix): boolean {
  return prefixOf(fromWords(inner.words), outer.length).text === outer.text;
}

/** Distinct prefixes outside the cluster, one in ten of IPv6; one in five lies within another one. */
function distinctCidrs(random: Seeded, count: number): Prefix[] {
  const found = new Map<string, Prefix>();
  const list: Prefix[] = [];
  while (list.length < count) {
    const outer = list.length > 0 && random.chance(0.2) ? random.pick(list) : undefined;
    const cidr = outer ? within(random, outer) : outside(random);
    if (found.has(cidr.text)) continue;
    found.set(cidr.text, cidr);
    list.push(cidr);
  }
  return list;
}

function outside(random: Seeded): Prefix {
  if (random.chance(0.1)) {
    return prefixOf(fromWords([0x20010000 + random.below(0xdb8), random.word(), 0, 0]), random.pick(LENGTHS[6]));
  }
  const first = 11 + random.below(161); // 11.0.0.0 to 171.255.255.255: neither pods nor nodes
  return prefixOf(fromWords([((first << 24) | (random.word() >>> 8)) >>> 0]), random.pick(LENGTHS[4]));
}

function within(random: Seeded, outer: Prefix): Prefix {
  const longest = outer.family === 4 ? 32 : 64;
  const length = Math.min(longest, outer.length + 1 + random.below(8));
  const at = outer.family === 4 ? 0 : 1;
  const tail = outer.length - at * 32 >= 32 ? 0 : random.word() >>> Math.max(0, outer.length - at * 32);
  const words = outer.words.map((word, index) => (index === at ? (word | tail) >>> 0 : word));
  return prefixOf(fromWords(words), length);
}
