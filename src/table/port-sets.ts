import { BlockPool } from './block-pool.ts';
import { getOrMake } from './get-or-make.ts';
import { SHIFT } from './layout.ts';
import type { PortClasses, PortRange } from './port-classes.ts';

const CHUNK_WORDS = 1 << (SHIFT.chunk - 5);
const NO_PORT = 0; // the first chunk

/** Sets of port classes, equal ones stored once: bitmaps cut into chunks, which sets share. */
export class PortSets {
  /** The set that holds nothing, and the one that holds every port class. */
  static readonly none = 0;
  static readonly all = 1;

  readonly sets: BlockPool;
  readonly chunks = new BlockPool(CHUNK_WORDS);
  readonly #classes: PortClasses;
  readonly #unions = new Map<number, Map<number, number>>();
  readonly #bits: Int32Array; // zeros between calls
  readonly #set: Int32Array;
  readonly #chunk = new Int32Array(CHUNK_WORDS);

  constructor(classes: PortClasses) {
    this.#classes = classes;
    const chunks = Math.ceil(classes.count / (1 << SHIFT.chunk));
    this.sets = new BlockPool(chunks);
    this.#bits = new Int32Array(chunks * CHUNK_WORDS);
    this.#set = new Int32Array(chunks);
    this.chunks.intern(this.#chunk);
    this.#ofClasses([]);
    this.#ofClasses([[0, classes.count - 1]]);
  }

  /** The set of the ports of these ranges. Their bounds must be among those that cut the classes. */
  of(ranges: readonly PortRange[]): number {
    const { of } = this.#classes;
    return this.#ofClasses(ranges.map(({ protocol, first, last }) => [of(protocol, first), of(protocol, last)]));
  }

  /** The set that holds what either holds. */
  union(one: number, other: number): number {
    if (one === other || other === PortSets.none || one === PortSets.all) return one;
    if (one === PortSets.none || other === PortSets.all) return other;
    const unions = getOrMake(this.#unions, Math.min(one, other), () => new Map<number, number>());
    return getOrMake(unions, Math.max(one, other), () => this.#unite(one, other));
  }

  #unite(one: number, other: number): number {
    for (let index = 0; index < this.#set.length; index++) {
      this.#set[index] = this.#uniteChunks(this.sets.at(one, index), this.sets.at(other, index));
    }
    return this.sets.intern(this.#set);
  }

  #uniteChunks(one: number, other: number): number {
    if (one === other || other === NO_PORT) return one;
    if (one === NO_PORT) return other;
    for (let word = 0; word < CHUNK_WORDS; word++) {
      this.#chunk[word] = this.chunks.at(one, word) | this.chunks.at(other, word);
    }
    return this.chunks.intern(this.#chunk);
  }

  #ofClasses(ranges: readonly (readonly [first: number, last: number])[]): number {
    const touched = new Set<number>();
    for (const [first, last] of ranges) {
      for (let portClass = first; portClass <= last; portClass++) {
        const word = portClass >>> 5;
        this.#bits[word] = (this.#bits[word] ?? 0) | (1 << (portClass & 31));
      }
      for (let chunk = first >>> SHIFT.chunk; chunk <= last >>> SHIFT.chunk; chunk++) touched.add(chunk);
    }
    this.#set.fill(NO_PORT);
    for (const chunk of touched) {
      const from = chunk * CHUNK_WORDS;
      this.#set[chunk] = this.chunks.intern(this.#bits, from);
      this.#bits.fill(0, from, from + CHUNK_WORDS);
    }
    return this.sets.intern(this.#set);
  }
}
