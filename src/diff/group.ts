import { podKey } from '../model/pod.ts';
import type { Family } from '../net/ip.ts';
import { cidrsOf, joinedRanges } from './address-range.ts';
import type { PairChange } from './compare.ts';
import type { AddressEnd, End } from './ends.ts';
import type { PortRange } from './port-cuts.ts';

/** One or more ends of connections: pods as `NAMESPACE/NAME`, addresses of nodes, CIDRs but for pods and nodes in them. */
export interface Side {
  readonly pods: readonly string[];
  readonly nodes: readonly string[];
  readonly outside: readonly string[];
}

/** Connections from any of `from` to any other of `to`, on these ports, that all change alike. */
export interface ChangeGroup {
  /** What they get now. */
  readonly verdict: 'allow' | 'deny';
  readonly ports: readonly PortRange[];
  /** Where only one family changes of two that both ends have; else null. */
  readonly family: Family | null;
  readonly from: Side;
  readonly to: Side;
}

/** The changes in few groups: destinations with the same sources and ports are put together. Denials come first. */
export function grouped(changes: readonly PairChange[]): ChangeGroup[] {
  const ends = new EndIds();
  const groups = [...Map.groupBy(factsOf(changes, ends), ({ key }) => key).values()].flatMap((facts) => {
    const [first] = facts;
    return first ? rectangles(facts, ends).map(({ from, to }) => ({ ...first.change, from, to })) : [];
  });
  return groups.sort((one, other) => rank(one) - rank(other));
}

/** That one end is affected by a change towards another one. */
interface Fact {
  /** Equal for equal changes. */
  readonly key: string;
  readonly change: Pick<ChangeGroup, 'verdict' | 'ports' | 'family'>;
  readonly from: number;
  readonly to: number;
}

/** Numbers for ends: those of the same members have one. */
class EndIds {
  readonly #ids = new Map<string, number>();
  readonly #known = new Map<End, number>();
  readonly #ends: End[] = [];

  of(end: End): number {
    const id = this.#known.get(end) ?? this.#idOf(end);
    this.#known.set(end, id);
    return id;
  }

  #idOf(end: End): number {
    const key = membersOf(end);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    this.#ids.set(key, this.#ends.length);
    this.#ends.push(end);
    return this.#ends.length - 1;
  }

  /** Whether it is one pod alone, for which it makes no difference to be reached by itself or not. */
  isOnePod(id: number): boolean {
    const end = this.#ends[id];
    return end?.kind === 'pods' && end.pods.length === 1;
  }

  sideOf(ids: readonly number[]): Side {
    const ends = ids.flatMap((id) => this.#ends[id] ?? []);
    const outside = ends.filter((end) => end.kind === 'outside');
    return {
      pods: ends.flatMap((end) => (end.kind === 'pods' ? end.pods.map(({ key }) => key) : [])).sort(),
      nodes: ends.flatMap((end) => (end.kind === 'node' ? [end.address.text] : [])).sort(),
      outside: ([4, 6] as const).flatMap((family) => cidrs(outside, family)),
    };
  }
}

function cidrs(ends: readonly AddressEnd[], family: Family): string[] {
  const ranges = ends.flatMap((end) => (end.kind === 'outside' && end.address.family === family ? end.ranges : []));
  return joinedRanges(ranges).flatMap((range) => cidrsOf(range, family));
}

/** What changes between which ends, a fact for each of denials and allowances. */
function factsOf(changes: readonly PairChange[], ends: EndIds): Fact[] {
  const pairs = Map.groupBy(changes, ({ from, to }) => `${ends.of(from)} ${ends.of(to)}`);
  return [...pairs.values()].flatMap((ofPair) => {
    const [first] = ofPair;
    if (!first) return [];
    const ids = { from: ends.of(first.from), to: ends.of(first.to) };
    // Apart: each pod's own node always reaches it, so with nodes among them hardly two pods have the same sources.
    const apart = first.from.kind === 'node' || first.to.kind === 'node' ? 'node' : '';
    const families = commonFamilies(first);
    const parts = ofPair.flatMap(({ denied, allowed, family }) => [
      { verdict: 'deny' as const, ports: denied, family },
      { verdict: 'allow' as const, ports: allowed, family },
    ]);
    const alike = Map.groupBy(
      parts.filter(({ ports }) => ports.length > 0),
      ({ verdict, ports }) => `${verdict} ${JSON.stringify(ports)}`,
    );
    return [...alike].flatMap(([key, same]) => {
      const everywhere = same.length === families;
      return (everywhere ? same.slice(0, 1) : same).map(({ verdict, ports, family }): Fact => {
        const only = everywhere ? null : family;
        return { key: `${key} ${only ?? ''} ${apart}`, change: { verdict, ports, family: only }, ...ids };
      });
    });
  });
}

/** How many families connections between the ends can have. */
function commonFamilies({ from, to }: PairChange): number {
  if (from.kind !== 'pods' || to.kind !== 'pods') return 1;
  return ([4, 6] as const).filter((family) => [from, to].every((end) => has(end, family))).length;
}

function has(end: End, family: Family): boolean {
  if (end.kind !== 'pods') return end.address.family === family;
  return end.pods.every(({ before, after }) =>
    [before, after].every(({ addresses }) => addresses.some((address) => address.family === family)),
  );
}

/** The pairs of the facts, each in one set of sources times one set of destinations. */
function rectangles(facts: readonly Fact[], ends: EndIds): { from: Side; to: Side }[] {
  const sources = [...Map.groupBy(facts, ({ to }) => to)].map(([to, some]) => {
    const from = some.map((fact) => fact.from).sort(ascending);
    // A pod and itself never change, so a pod alone may be among its own sources if that makes it like others.
    const withSelf = ends.isOnePod(to) ? [...new Set([...from, to])].sort(ascending) : from;
    return { to, from, withSelf };
  });
  const wide = Map.groupBy(sources, ({ withSelf }) => withSelf.join());
  const chosen = sources.map(({ to, from, withSelf }) => {
    const shared = (wide.get(withSelf.join())?.length ?? 0) > 1;
    return { to, from: shared ? withSelf : from };
  });
  return [...Map.groupBy(chosen, ({ from }) => from.join()).values()].map((alike) => ({
    from: ends.sideOf(alike[0]?.from ?? []),
    to: ends.sideOf(alike.map(({ to }) => to)),
  }));
}

function membersOf(end: End): string {
  switch (end.kind) {
    case 'pods':
      return end.pods.map(({ after }) => podKey(after)).join(' ');
    case 'node':
      return `node ${end.address.text}`;
    case 'outside':
      return `outside ${end.address.text}`;
  }
}

function rank({ verdict, from, to }: ChangeGroup): number {
  return (verdict === 'deny' ? 0 : 4) + (from.pods.length === 0 ? 2 : 0) + (to.pods.length === 0 ? 1 : 0);
}

function ascending(one: number, other: number): number {
  return one - other;
}
