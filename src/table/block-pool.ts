import type { Arena } from './arena.ts';

/** Blocks of words in the arena, all of one width, equal ones stored once, freed with their last reference. */
export class BlockPool {
  readonly width: number;
  readonly #arena: Arena;
  readonly #onFree: (offset: number) => void;
  #slots = new Int32Array(64); // open addressing: offsets of blocks, 0 for a free slot
  readonly #references = new Map<number, number>();

  /** @param onFree called with a block that has lost its last reference, its words still there. */
  constructor(arena: Arena, width: number, onFree: (offset: number) => void = () => undefined) {
    this.width = width;
    this.#arena = arena;
    this.#onFree = onFree;
  }

  /** Number of distinct blocks. */
  get count(): number {
    return this.#references.size;
  }

  /**
   * The offset of the block that `source` holds from `from`, with a reference more.
   * @param onMake called before a block is made that was not there.
   */
  acquire(source: Int32Array, from: number, onMake?: () => void): number {
    if (this.count * 2 >= this.#slots.length) this.#rehash();
    const mask = this.#slots.length - 1;
    let slot = this.#hashOf(source, from) & mask;
    for (let offset = this.#slots[slot] ?? 0; offset !== 0; offset = this.#slots[slot] ?? 0) {
      if (this.#equals(offset, source, from)) {
        this.retain(offset);
        return offset;
      }
      slot = (slot + 1) & mask;
    }
    onMake?.();
    const offset = this.#arena.alloc(this.width);
    this.#arena.words.set(source.subarray(from, from + this.width), offset);
    this.#slots[slot] = offset;
    this.#references.set(offset, 1);
    return offset;
  }

  /** References more. */
  retain(offset: number, count = 1): void {
    this.#references.set(offset, (this.#references.get(offset) ?? 0) + count);
  }

  /** References less. */
  release(offset: number, count = 1): void {
    const left = (this.#references.get(offset) ?? 0) - count;
    if (left > 0) {
      this.#references.set(offset, left);
      return;
    }
    this.#references.delete(offset);
    this.#forget(offset);
    this.#onFree(offset);
    this.#arena.free(offset, this.width);
  }

  #equals(offset: number, source: Int32Array, from: number): boolean {
    const { words } = this.#arena;
    for (let index = 0; index < this.width; index++) if (words[offset + index] !== source[from + index]) return false;
    return true;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (const offset of this.#slots) {
      if (offset === 0) continue;
      let slot = this.#hashOf(this.#arena.words, offset) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = offset;
    }
    this.#slots = slots;
  }

  /** Takes a block out of the slots, and moves those behind it that this would cut off. */
  #forget(offset: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.#hashOf(this.#arena.words, offset) & mask;
    while (slots[hole] !== offset) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; ; slot = (slot + 1) & mask) {
      const moved = slots[slot] ?? 0;
      if (moved === 0) break;
      const home = this.#hashOf(this.#arena.words, moved) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = moved;
      hole = slot;
    }
    slots[hole] = 0;
  }

  #hashOf(source: Int32Array, from: number): number {
    let hash = 0;
    for (let index = 0; index < this.width; index++) {
      hash = Math.imul(hash ^ (source[from + index] ?? 0), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }
}
