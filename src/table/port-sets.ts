import type { Arena } from './arena.ts';
import { getOrMake } from './get-or-make.ts';
import { PORT_SET } from './layout.ts';
import { ALL_PORTS, PortClasses, portPlace, type PortRange } from './port-classes.ts';

const CHUNK_WORDS = PORT_SET.direct / 32;

/** Places of ports, from `first` to before `end`, ascending and apart from one another. */
type Spans = readonly (readonly [first: number, end: number])[];

/**
 * Sets of ports, equal ones stored once, known by ids. They stay as long as the table, but only those
 * that rows hold are in the arena, and only their bounds tell ports apart.
 */
export class PortSets {
  /** The set that holds nothing, and the one that holds every port of every transport. */
  static readonly none = 0;
  static readonly all = 1;

  readonly classes: PortClasses;
  readonly #arena: Arena;
  readonly #ids = new Map<string, number>();
  readonly #spans: Spans[] = [];
  readonly #offsets: (number | undefined)[] = []; // of those that are in the arena
  readonly #holders: number[][] = []; // of each class, the sets that hold it, but for `all`
  readonly #unions = new Map<number, number>();

  constructor(arena: Arena) {
    this.#arena = arena;
    this.classes = new PortClasses(arena, (from, to) => {
      const holders = this.#holders[from] ?? [];
      this.#holders[to] = [...holders];
      for (const set of holders) this.#add(set, to);
    });
    this.#make([]);
    this.#make([[0, ALL_PORTS]]);
  }

  /** Number of distinct sets. */
  get count(): number {
    return this.#spans.length;
  }

  /** Where the set lies in the arena. Cost: the first time, its port classes. */
  offsetOf(set: number): number {
    return this.#offsets[set] ?? this.#write(set);
  }

  /** The set of the ports of these ranges. */
  of(ranges: readonly PortRange[]): number {
    return this.#intern(
      ranges.map(({ protocol, first, last }) => [portPlace(protocol, first), portPlace(protocol, last) + 1] as const),
    );
  }

  /** The set that holds what either holds. */
  union(one: number, other: number): number {
    if (one === other || other === PortSets.none || one === PortSets.all) return one;
    if (one === PortSets.none || other === PortSets.all) return other;
    const pair = Math.min(one, other) * 2 ** 26 + Math.max(one, other);
    return getOrMake(this.#unions, pair, () =>
      this.#intern([...(this.#spans[one] ?? []), ...(this.#spans[other] ?? [])]),
    );
  }

  #intern(spans: Spans): number {
    const joined = join(spans);
    return getOrMake(this.#ids, joined.join(), () => this.#make(joined));
  }

  #make(spans: Spans): number {
    const set = this.#spans.push(spans) - 1;
    this.#ids.set(spans.join(), set);
    return set;
  }

  #write(set: number): number {
    const spans = this.#spans[set] ?? [];
    for (const bound of spans.flat()) this.classes.cut(bound);
    const offset = this.#arena.alloc(PORT_SET.words);
    this.#offsets[set] = offset;
    if (set === PortSets.all) {
      this.#arena.words.fill(-1, offset, offset + PORT_SET.words);
      return offset;
    }
    for (const [first, end] of spans) {
      for (const portClass of this.classes.between(first, end)) {
        (this.#holders[portClass] ??= []).push(set);
        this.#add(set, portClass);
      }
    }
    return offset;
  }

  /** Sets the bit of a class: one that no port has yet, or of a set that no reader knows yet. */
  #add(set: number, portClass: number): void {
    const offset = this.#offsets[set] ?? 0;
    const direct = portClass < PORT_SET.direct;
    const bits = direct ? offset : this.#chunk(offset + PORT_SET.overflow, Math.floor(portClass / PORT_SET.direct) - 1);
    const at = bits + ((portClass >>> 5) & (CHUNK_WORDS - 1));
    this.#arena.words[at] = (this.#arena.words[at] ?? 0) | (1 << (portClass & 31));
  }

  /** The chunk of a set's classes beyond the first, made if there is none. @param at where the list of chunks is named. */
  #chunk(at: number, index: number): number {
    const arena = this.#arena;
    let list = arena.words[at] ?? 0;
    let length = list === 0 ? 0 : (arena.words[list] ?? 0);
    if (index >= length) {
      const longer = arena.alloc(1 + index + 1 + length); // room for more, as classes come one by one
      arena.words.copyWithin(longer + 1, list + 1, list + 1 + length);
      arena.words[longer] = index + 1 + length;
      if (list !== 0) arena.free(list, 1 + length);
      arena.words[at] = list = longer;
      length = index + 1 + length;
    }
    const known = arena.words[list + 1 + index] ?? 0;
    if (known !== 0) return known;
    const chunk = arena.alloc(CHUNK_WORDS);
    arena.words[list + 1 + index] = chunk;
    return chunk;
  }
}

/** The spans in order, those that touch as one. */
function join(spans: Spans): Spans {
  const joined: [number, number][] = [];
  for (const [first, end] of [...spans].sort(([one], [other]) => one - other)) {
    const last = joined.at(-1);
    if (last && first <= last[1]) last[1] = Math.max(last[1], end);
    else joined.push([first, end]);
  }
  return joined;
}
