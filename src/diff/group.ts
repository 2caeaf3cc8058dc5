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
  readonly #families: (readonly Family[])[] = [];

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
    this.#families.push(FAMILIES.filter((family) => has(end, family)));
    return this.#ends.length - 1;
  }

  /** How many families connections between the ends can have. */
  commonFamilies(from: number, to: number): number {
    const [own, other] = [this.#families[from] ?? [], this.#families[to] ?? []];
    return own.reduce((count, family) => (other.includes(family) ? count + 1 : count), 0);
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

const FAMILIES: readonly Family[] = [4, 6];
const MAX_ENDS = 2 ** 26; // two numbers below it make one that is exact

/** What changes between which ends, a fact for each of denials and allowances. */
function factsOf(changes: readonly PairChange[], ends: EndIds): Fact[] {
  const portSets = new PortSetIds();
  const facts: Fact[] = [];
  for (const ofPair of Map.groupBy(changes, ({ from, to }) => ends.of(from) * MAX_ENDS + ends.of(to)).values()) {
    const [first] = ofPair;
    if (!first) continue;
    const [from, to] = [ends.of(first.from), ends.of(first.to)];
    const families = ends.commonFamilies(from, to);
    // Apart: each pod's own node always reaches it, so with nodes among them hardly two pods have the same sources.
    const apart = first.from.kind === 'node' || first.to.kind === 'node' ? 'node' : '';
    for (const change of ofPair) {
      for (const verdict of ['deny', 'allow'] as const) {
        const ports = portsThat(verdict, change);
        if (ports.length === 0) continue;
        const id = portSets.of(ports);
        const same = ofPair.filter((other) => portSets.of(portsThat(verdict, other)) === id);
        const everywhere = same.length === families;
        if (everywhere && same[0] !== change) continue; // said already, of the other family
        const family = everywhere ? null : change.family;
        facts.push({ key: `${verdict} ${id} ${family ?? ''} ${apart}`, change: { verdict, ports, family }, from, to });
      }
    }
  }
  return facts;
}

function portsThat(verdict: ChangeGroup['verdict'], { denied, allowed }: PairChange): readonly PortRange[] {
  return verdict === 'deny' ? denied : allowed;
}

/** Numbers for sets of ports: equal ones have one. */
class PortSetIds {
  readonly #ids = new Map<string, number>();
  readonly #known = new Map<readonly PortRange[], number>();

  of(ports: readonly PortRange[]): number {
    let id = this.#known.get(ports);
    if (id !== undefined) return id;
    const text = JSON.stringify(ports);
    id = this.#ids.get(text) ?? this.#ids.size;
    this.#ids.set(text, id);
    this.#known.set(ports, id);
    return id;
  }
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
