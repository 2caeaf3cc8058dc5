import { BlockPool } from './block-pool.ts';
import { getOrMake } from './get-or-make.ts';
import { SHIFT } from './layout.ts';
import type { PortClasses, PortRange } from './port-classes.ts';

const CHUNK_WORDS = 1 << (SHIFT.chunk - 5);

/** Sets of port classes, equal ones stored once: bitmaps cut into chunks, which sets share. */
export class PortSets {
  /** The set that holds nothing, and the one that holds every port class. */
  static readonly none = 0;
  static readonly all = 1;

  readonly sets: BlockPool;
  readonly chunks = new BlockPool(CHUNK_WORDS);
  readonly #classes: PortClasses;
  readonly #unions = new Map<number, Map<number, number>>();
  readonly #bits: Int32Array;
  readonly #set: Int32Array;
  readonly #chunk = new Int32Array(CHUNK_WORDS);

  constructor(classes: PortClasses) {
    this.#classes = classes;
    const chunks = Math.ceil(classes.count / (1 << SHIFT.chunk));
    this.sets = new BlockPool(chunks);
    this.#bits = new Int32Array(chunks * CHUNK_WORDS);
    this.#set = new Int32Array(chunks);
    this.#internBits();
    for (let portClass = 0; portClass < classes.count; portClass++) this.#setBit(portClass);
    this.#internBits();
  }

  /** The set of the ports of these ranges. Their bounds must be among those that cut the classes. */
  of(ranges: readonly PortRange[]): number {
    this.#bits.fill(0);
    for (const { protocol, first, last } of ranges) {
      const end = this.#classes.of(protocol, last);
      for (let portClass = this.#classes.of(protocol, first); portClass <= end; portClass++) this.#setBit(portClass);
    }
    return this.#internBits();
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
      const [first, second] = [this.sets.at(one, index), this.sets.at(other, index)];
      for (let word = 0; word < CHUNK_WORDS; word++) {
        this.#chunk[word] = this.chunks.at(first, word) | this.chunks.at(second, word);
      }
      this.#set[index] = first === second ? first : this.chunks.intern(this.#chunk);
    }
    return this.sets.intern(this.#set);
  }

  #setBit(portClass: number): void {
    const word = portClass >>> 5;
    this.#bits[word] = (this.#bits[word] ?? 0) | (1 << (portClass & 31));
  }

  #internBits(): number {
    for (let index = 0; index < this.#set.length; index++) {
      this.#set[index] = this.chunks.intern(this.#bits, index * CHUNK_WORDS);
    }
    return this.sets.intern(this.#set);
  }
}
