import { WordList } from './word-list.ts';

/** Blocks of words, all of one width, equal ones stored once. Ids count from 0 in the order of first sight. */
export class BlockPool {
  readonly width: number;
  readonly #blocks: WordList;
  #slots = new Int32Array(64); // open addressing: id + 1, 0 for a free slot
  #count = 0;

  constructor(width: number) {
    this.width = width;
    this.#blocks = new WordList(width * 16);
  }

  /** Number of distinct blocks. */
  get count(): number {
    return this.#count;
  }

  /** All blocks, one after the other: block `id` begins at `id * width`. */
  get words(): Int32Array {
    return this.#blocks.words.subarray(0, this.#blocks.length);
  }

  /** The id of the block that `source` holds from `from`. Words past the end of `source` count as 0. */
  intern(source: Int32Array, from = 0): number {
    if (this.#count * 2 >= this.#slots.length) this.#rehash();
    const mask = this.#slots.length - 1;
    let slot = this.#hash(source, from) & mask;
    for (let id = this.#slots[slot] ?? 0; id !== 0; id = this.#slots[slot] ?? 0) {
      if (this.#equals(id - 1, source, from)) return id - 1;
      slot = (slot + 1) & mask;
    }
    const offset = this.#blocks.extend(this.width);
    this.#blocks.words.set(source.subarray(from, from + this.width), offset);
    this.#count += 1;
    this.#slots[slot] = this.#count;
    return this.#count - 1;
  }

  /** One word of a block. */
  at(id: number, index: number): number {
    return this.#blocks.at(id * this.width + index);
  }

  #hash(source: Int32Array, from: number): number {
    let hash = 0;
    for (let index = 0; index < this.width; index++) {
      hash = Math.imul((hash ^ (source[from + index] ?? 0)) + index, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  #equals(id: number, source: Int32Array, from: number): boolean {
    for (let index = 0; index < this.width; index++) {
      if (this.at(id, index) !== (source[from + index] ?? 0)) return false;
    }
    return true;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#count; id++) {
      let slot = this.#hash(this.#blocks.words, id * this.width) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.#slots = slots;
  }
}
