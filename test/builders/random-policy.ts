import { fromWords, type IpAddress } from '../../src/net/ip.ts';
import { bits, contains, prefixOf, type Prefix } from '../../src/net/prefix.ts';
import { withSuffix } from './address-arithmetic.ts';
import { ip } from './address.ts';
import type { PeerNotation, PolicyNotation } from './policy.ts';
import { PORT_NAMES, PORT_NUMBERS, PROTOCOL_SUFFIXES } from './random-pods.ts';
import type { Random } from './random.ts';
import type { RequirementNotation, SelectorNotation } from './selector.ts';

/** What random policies are about. */
export interface PolicyGround {
  readonly namespaces: readonly string[];
  /** Addresses that blocks and excepts are drawn around. */
  readonly addresses: readonly IpAddress[];
}

/** Lengths of blocks: everything, one address, and on both sides of what a trie may cut at. */
const LENGTHS = {
  4: [0, 0, 1, 8, 15, 16, 17, 20, 23, 24, 25, 28, 30, 31, 32, 32],
  6: [0, 0, 1, 12, 16, 31, 32, 33, 48, 63, 64, 65, 95, 96, 97, 112, 120, 126, 127, 128, 128],
};

/** Blocks that lie around no pod. */
const FAR: readonly IpAddress[] = ['203.0.113.9', '8.8.8.8', '255.255.255.255', '2001:db8:9::9', 'ff02::1'].map(ip);

/** A policy of one of the namespaces, in one direction or both. */
export function randomPolicy(random: Random, ground: PolicyGround, index: number): PolicyNotation {
  const directions = random.pick(['ingress', 'egress', 'both', 'both']);
  return {
    name: `policy-${index}`,
    namespace: random.pick(ground.namespaces),
    pods: random.chance(0.25) ? {} : randomSelector(random, ['app', 'tier', 'env']),
    ...(directions !== 'egress' && {
      ingress: randomRules(random, ground).map(({ peers, ports }) => ({ ...(peers && { from: peers }), ...ports })),
    }),
    ...(directions !== 'ingress' && {
      egress: randomRules(random, ground).map(({ peers, ports }) => ({ ...(peers && { to: peers }), ...ports })),
    }),
  };
}

interface RandomRule {
  readonly peers: PeerNotation[] | undefined;
  readonly ports: { readonly ports?: string[] };
}

function randomRules(random: Random, ground: PolicyGround): RandomRule[] {
  return random.list(random.pick([0, 1, 1]), 3, () => ({
    peers: random.chance(0.15) ? undefined : random.list(1, random.pick([1, 1, 3]), () => randomPeer(random, ground)),
    ports: random.chance(0.35) ? {} : { ports: random.list(1, random.pick([1, 1, 3]), () => randomPolicyPort(random)) },
  }));
}

function randomPeer(random: Random, ground: PolicyGround): PeerNotation {
  const pods = randomSelector(random, ['app', 'tier', 'env']);
  const namespaces = randomSelector(random, ['team', 'env', 'kubernetes.io/metadata.name']);
  switch (random.between(1, 6)) {
    case 1:
      return { pods };
    case 2:
      return { namespaces };
    case 3:
      return { namespaces, pods };
    default:
      return randomBlock(random, ground);
  }
}

/** Values are those of labels; of `kubernetes.io/metadata.name` the names of namespaces, which are a, b and c. */
function randomSelector(random: Random, keys: readonly string[]): SelectorNotation {
  if (random.chance(0.25)) return {};
  if (random.chance(0.3)) return { [random.pick(keys)]: random.pick(['a', 'b', 'c']) };
  return random.list(1, 2, () => randomRequirement(random, random.pick(keys)));
}

function randomRequirement(random: Random, key: string): RequirementNotation {
  const operator = random.pick(['In', 'In', 'NotIn', 'NotIn', 'Exists', 'DoesNotExist'] as const);
  if (operator === 'Exists' || operator === 'DoesNotExist') return [key, operator];
  return [key, operator, ...random.some(['a', 'b', 'c', 'z'], random.between(1, 3))];
}

function randomBlock(random: Random, { addresses }: PolicyGround): PeerNotation {
  const near = random.pick(addresses.length > 0 && random.chance(0.8) ? addresses : FAR);
  const block = prefixOf(near, random.pick(LENGTHS[near.family]));
  const inside = addresses.filter((address) => contains(block, address));
  const longest = bits(block.family);
  if (block.length === longest || random.chance(0.4)) return { block: block.text };
  const except = random.list(1, 3, () => {
    const middle = inside.length > 0 && random.chance(0.7) ? random.pick(inside) : randomAddressIn(random, block);
    return prefixOf(middle, random.chance(0.3) ? longest : random.between(block.length + 1, longest)).text;
  });
  return { block: block.text, except };
}

/** Any address of the prefix. */
export function randomAddressIn(random: Random, prefix: Prefix): IpAddress {
  return withSuffix(prefix, fromWords(prefix.words.map(() => random.word())));
}

function randomPolicyPort(random: Random): string {
  return `${randomPortText(random)}${random.pick(PROTOCOL_SUFFIXES)}`;
}

function randomPortText(random: Random): string {
  const port = random.pick(PORT_NUMBERS);
  switch (random.between(1, 8)) {
    case 1:
      return '*';
    case 2:
    case 3:
    case 4:
      return random.pick(PORT_NAMES);
    case 5:
      return `${port}-${Math.min(65535, port + random.between(0, 3))}`;
    case 6:
      return `${port}-${random.between(port, 65535)}`;
    case 7:
      return random.chance(0.3) ? '1-65535' : `1-${port}`;
    default:
      return String(port);
  }
}
