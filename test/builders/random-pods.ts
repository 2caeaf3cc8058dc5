import type { Family } from '../../src/net/ip.ts';
import type { PodNotation } from './pod.ts';
import type { Random } from './random.ts';

/** Nodes: each with an address of either family. */
export const NODES: readonly (readonly [string, string])[] = [
  ['192.168.0.1', 'fd00:ff::1'],
  ['192.168.0.2', 'fd00:ff::2'],
];

/** Names of ports: what policies name and pods declare. `ghost` is on no pod. */
export const PORT_NAMES: readonly string[] = ['http', 'dns', 'metrics', 'ghost'];

/** Port numbers that policies, pods and connections share. */
export const PORT_NUMBERS: readonly number[] = [1, 53, 79, 80, 81, 443, 8080, 8081, 65534, 65535];

/** Protocols as the notations write them. */
export const PROTOCOL_SUFFIXES: readonly string[] = ['', '', '', '/UDP', '/SCTP'];

// Differ at every depth: in the first bits, on both sides of word bounds, in the last bits. One is
// the IPv4-mapped form of an IPv4 address that pods have too.
const PREFIXES: Readonly<Record<Family, readonly string[]>> = {
  4: ['10.1.0.', '10.1.1.', '10.1.255.', '10.2.0.', '172.16.0.', '0.0.0.', '255.255.255.'],
  6: ['fd00:1::', 'fd00:1:0:1::', 'fd00:1::1:0:', 'fd00:1:8000::', '2001:db8::', '::', '::ffff:a01:'],
};

/** A pool of addresses that are handed out once each. */
class AddressPool {
  readonly #left: Record<Family, string[]>;

  constructor(random: Random, hosts: number) {
    const all = (family: Family) =>
      PREFIXES[family].flatMap((front) =>
        Array.from({ length: hosts }, (_, host) => front + host.toString(family === 4 ? 10 : 16)),
      );
    this.#left = { 4: random.some(all(4), Infinity), 6: random.some(all(6), Infinity) };
  }

  take(family: Family): string[] {
    return this.#left[family].splice(0, 1);
  }
}

/** Pods of these namespaces: of one family or both, running or not, some with the labels and ports of another. */
export function randomPods(random: Random, namespaces: readonly string[], count: number): PodNotation[] {
  const pool = new AddressPool(random, count > 20 ? 32 : 4);
  const templates: PodNotation[] = [];
  const pods: PodNotation[] = [];
  for (let index = 0; index < count; index += 1) {
    const twin = templates.length > 0 && random.chance(0.3);
    const template = twin ? random.pick(templates) : randomTemplate(random, random.pick(namespaces));
    templates.push(template);
    pods.push({ ...template, name: `pod-${index}`, ...randomPlace(random, pool, pods) });
  }
  // In any order: an address's owner does not depend on whether a finished pod comes before it.
  return random.some(pods, pods.length);
}

/** Labels of pods: three keys, three values, so that selectors both match and miss. */
function randomLabels(random: Random): Record<string, string> {
  return Object.fromEntries(
    ['app', 'tier', 'env'].filter(() => random.chance(0.6)).map((key) => [key, random.pick(['a', 'b', 'c'])]),
  );
}

/** What pods can have in common: namespace, labels and ports. */
function randomTemplate(random: Random, namespace: string): PodNotation {
  return {
    namespace,
    labels: randomLabels(random),
    ports: random.list(0, 6, () => randomPort(random)),
    ...(random.chance(0.2) && { sidecarPorts: random.list(1, 2, () => randomPort(random)) }),
    ...(random.chance(0.1) && { initPorts: [randomPort(random)] }),
  };
}

function randomPort(random: Random): string {
  const name = random.chance(0.85) ? `${random.pick(['http', 'dns', 'metrics'])}=` : '';
  return `${name}${random.pick(PORT_NUMBERS)}${random.pick(PROTOCOL_SUFFIXES)}`;
}

/** Where a pod is, and where in its life. */
function randomPlace(random: Random, pool: AddressPool, others: readonly PodNotation[]): PodNotation {
  const node = random.pick(NODES);
  const placed = { node: random.chance(0.8) ? node : random.chance(0.5) ? node.slice(0, 1) : [] };
  const own = { ...placed, ip: random.pick([() => both(pool), () => pool.take(4), () => pool.take(6)])() };
  const taken = { ...placed, ip: others.length > 0 ? (random.pick(others).ip ?? []) : [] };
  switch (random.between(1, 20)) {
    case 1:
    case 2:
      return { ...placed, ip: node, hostNetwork: true };
    case 3:
      return { ...own, phase: 'Succeeded' };
    case 4:
      return { ...taken, phase: 'Failed' };
    case 5:
      return { ...taken, phase: 'Succeeded' };
    case 6:
      return { ...placed, phase: 'Pending' };
    case 7:
      return { ...own, phase: 'Pending' };
    case 8:
      // Two endpoint pods of one address are a moment's mistake of the address manager.
      return random.chance(0.3) ? taken : own;
    default:
      return own;
  }
}

function both(pool: AddressPool): string[] {
  return [...pool.take(4), ...pool.take(6)];
}
