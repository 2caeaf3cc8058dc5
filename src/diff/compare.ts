import type { Cluster } from '../model/cluster.ts';
import { isEndpoint, podKey, type Pod } from '../model/pod.ts';
import { sameIp, type Family, type IpAddress } from '../net/ip.ts';
import type { Port } from '../net/port.ts';
import type { Connection } from '../model/verdict.ts';
import { compile } from '../table/compile.ts';
import { connectionDecider } from '../table/connection-decider.ts';
import { addressEnds } from './address-ends.ts';
import { Blocks } from './blocks.ts';
import { addressOf, type AddressEnd, type End, type PodPair, type PodsEnd } from './ends.ts';
import { podEnds, podPairs, type Change } from './pod-ends.ts';
import { joined, PortCuts, type PortRange } from './port-cuts.ts';

/** Ports that one end newly reaches, or no longer reaches, on another. In one address family. */
export interface PairChange {
  readonly from: End;
  readonly to: End;
  readonly family: Family;
  readonly denied: readonly PortRange[];
  readonly allowed: readonly PortRange[];
}

/** What changes between two clusters. */
export interface Comparison {
  /** Of pods that are there before and after. A pod and itself are never in it: nothing parts them. */
  readonly changes: readonly PairChange[];
  /** Keys of pods that policies see on one side only: their connections are not compared. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** The pods that are compared. */
  readonly pods: readonly PodPair[];
}

/**
 * Every connection whose verdict changes, exactly: ends and ports are parted wherever a policy of either
 * side can tell them apart, and one of each part is asked of both tables.
 * Cost: pairs of ends that a changed policy or pod touches, times the ports that their policies name.
 */
export function compare(change: Change): Comparison {
  const { before, after } = change;
  const blocks = new Blocks([...before.policies, ...after.policies]);
  const pods = podEnds(change, blocks);
  const asker = new Asker(change);
  const changes = ([4, 6] as const).flatMap((family) => {
    const addresses = addressEnds(change, blocks, family);
    return [...asker.amongPods(pods, family), ...asker.withAddresses(pods, addresses, family)];
  });
  const pairs = podPairs(change);
  const unmatched = (cluster: Cluster, matched: readonly Pod[]): string[] => {
    const compared = new Set(matched);
    return cluster.pods.filter((pod) => isEndpoint(pod) && !compared.has(pod)).map(podKey);
  };
  return {
    changes,
    added: unmatched(
      after,
      pairs.map((pair) => pair.after),
    ),
    removed: unmatched(
      before,
      pairs.map((pair) => pair.before),
    ),
    pods: pairs,
  };
}

/** The addresses of a connection before and after. */
interface Ends {
  readonly before: Omit<Connection, 'transport' | 'port'>;
  readonly after: Omit<Connection, 'transport' | 'port'>;
}

/** A connection that is asked again for each port: a new object each time would take most of the time. */
type Asked = { -readonly [Field in keyof Connection]: Connection[Field] };

// One side is often compared with many others, and a table costs more than asking it.
const deciders = new WeakMap<Cluster, (connection: Connection) => number>();

function deciderOf(cluster: Cluster): (connection: Connection) => number {
  const decider = deciders.get(cluster) ?? connectionDecider(compile(cluster).buffer);
  deciders.set(cluster, decider);
  return decider;
}

/** Asks both tables. */
class Asker {
  readonly #before: (connection: Connection) => number;
  readonly #after: (connection: Connection) => number;
  readonly #cuts = new PortCuts();
  readonly #patterns = new Map<readonly PortRange[], Map<string, Pick<PairChange, 'denied' | 'allowed'>>>();

  constructor({ before, after }: Change) {
    this.#before = deciderOf(before);
    this.#after = deciderOf(after);
  }

  amongPods(ends: readonly PodsEnd[], family: Family): PairChange[] {
    const able = ends.flatMap((end) => {
      const pods = end.pods.filter((pair) => hasFamily(pair, family));
      return pods.length > 0 ? [{ ...end, pods, whole: end }] : [];
    });
    return able.flatMap((from) =>
      able.flatMap((to) => {
        if (!from.isChanged && !to.isChanged && !from.isTouched.egress && !to.isTouched.ingress) return [];
        const [source] = from.pods;
        const destination = to.whole === from.whole ? to.pods[1] : to.pods[0];
        if (!source || !destination) return [];
        const asked = pairOf(source, destination, family);
        const cuts = this.#cuts.between([from.profiles.egress, to.profiles.ingress], to);
        return asked ? this.#ask(asked, cuts, { from, to, family }) : [];
      }),
    );
  }

  withAddresses(ends: readonly PodsEnd[], addresses: readonly AddressEnd[], family: Family): PairChange[] {
    return ends.flatMap((end) => {
      const pods = end.pods.filter((pair) => hasFamily(pair, family));
      const leaving = end.isChanged || end.isTouched.egress;
      const entering = end.isChanged || end.isTouched.ingress;
      if (pods.length === 0 || (!leaving && !entering)) return [];
      return addresses.flatMap((outside) =>
        // A pod's own node may always reach it, and be reached.
        alike(pods, outside).flatMap((some) => {
          const part: PodsEnd = { ...end, pods: some };
          const both = { part, outside, family };
          return [...(leaving ? this.#egress(both) : []), ...(entering ? this.#ingress(both) : [])];
        }),
      );
    });
  }

  #egress({ part, outside, family }: { part: PodsEnd; outside: AddressEnd; family: Family }): PairChange[] {
    const [pod] = part.pods;
    const ends = pod && endsOf(pod, family, (own) => ({ source: own, destination: outside.address }));
    if (!ends) return [];
    return this.#ask(ends, this.#cuts.between([part.profiles.egress], undefined), { from: part, to: outside, family });
  }

  #ingress({ part, outside, family }: { part: PodsEnd; outside: AddressEnd; family: Family }): PairChange[] {
    const [pod] = part.pods;
    const ends = pod && endsOf(pod, family, (own) => ({ source: outside.address, destination: own }));
    if (!ends) return [];
    return this.#ask(ends, this.#cuts.between([part.profiles.ingress], part), {
      from: outside,
      to: part,
      family,
    });
  }

  #ask(ends: Ends, cuts: readonly PortRange[], pair: Pick<PairChange, 'from' | 'to' | 'family'>): PairChange[] {
    let pattern = '';
    const before: Asked = { ...ends.before, transport: 'ICMP', port: 0 };
    const after: Asked = { ...ends.after, transport: 'ICMP', port: 0 };
    for (const cut of cuts) {
      before.transport = after.transport = cut.protocol;
      before.port = after.port = cut.first as Port | 0;
      const was = this.#before(before) === 0;
      const is = this.#after(after) === 0;
      pattern += was === is ? SAME : is ? ALLOWED : DENIED;
    }
    const { denied, allowed } = this.#changesIn(cuts, pattern);
    return denied.length + allowed.length === 0 ? [] : [{ ...pair, denied, allowed }];
  }

  /** Many pairs change alike, and then have the same ranges. */
  #changesIn(cuts: readonly PortRange[], pattern: string): Pick<PairChange, 'denied' | 'allowed'> {
    const ofCuts = this.#patterns.get(cuts) ?? new Map<string, Pick<PairChange, 'denied' | 'allowed'>>();
    this.#patterns.set(cuts, ofCuts);
    const known = ofCuts.get(pattern);
    if (known) return known;
    const those = (mark: string): PortRange[] => joined(cuts.filter((_, index) => pattern[index] === mark));
    const changes = { denied: those(DENIED), allowed: those(ALLOWED) };
    ofCuts.set(pattern, changes);
    return changes;
  }
}

// How a pair's verdict changes from one range of ports to the next.
const SAME = '=';
const DENIED = '-';
const ALLOWED = '+';

function hasFamily({ before, after }: PodPair, family: Family): boolean {
  return addressOf(before, family) !== undefined && addressOf(after, family) !== undefined;
}

function pairOf(from: PodPair, to: PodPair, family: Family): Ends | undefined {
  const [was, is] = [addressOf(from.before, family), addressOf(from.after, family)];
  const [wasTo, isTo] = [addressOf(to.before, family), addressOf(to.after, family)];
  if (!was || !is || !wasTo || !isTo) return undefined;
  return { before: { source: was, destination: wasTo }, after: { source: is, destination: isTo } };
}

function endsOf(pod: PodPair, family: Family, ends: (own: IpAddress) => Ends['before']): Ends | undefined {
  const [was, is] = [addressOf(pod.before, family), addressOf(pod.after, family)];
  return was && is ? { before: ends(was), after: ends(is) } : undefined;
}

/** The pods, parted by whether the address is one of their node's, before and after. */
function alike(pods: readonly PodPair[], { kind, address }: AddressEnd): readonly (readonly PodPair[])[] {
  if (kind === 'outside') return [pods];
  const isNode = ({ nodeAddresses }: Pod): boolean => nodeAddresses.some((own) => sameIp(own, address));
  return [...Map.groupBy(pods, ({ before, after }) => `${isNode(before)} ${isNode(after)}`).values()];
}
