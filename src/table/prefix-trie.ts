import type { Arena } from './arena.ts';
import { TRIE_ROOT } from './layout.ts';

const ROOT_BITS = 16;
const STRIDE_BITS = 4;
const NODE_WORDS = 1 << STRIDE_BITS;

/** A prefix, as far as a trie is concerned. */
export interface Bits {
  readonly words: readonly number[];
  readonly length: number;
}

/** What leaves hold: a value, and the length of the prefix that it comes from. */
export interface Leaf {
  readonly value: number;
  readonly length: number;
}

/**
 * Longest-prefix match over the addresses of one family: a multibit trie, the first 16 bits in its
 * root, then nodes of 4 bits. An entry is the offset of a node, or ~value where no longer prefix
 * follows: a lookup needs to remember nothing on its way down.
 * Values are integers from 0 to 2^31 - 1.
 */
export class PrefixTrie {
  readonly #arena: Arena;
  readonly #root: number;
  #nodes = 0;
  #lengths = new Uint8Array(0); // of each leaf, the length of its prefix; only writers need it

  /** @param root where its root lies in the arena. @param value of the addresses that no prefix holds. */
  constructor(arena: Arena, root: number, value: number) {
    this.#arena = arena;
    this.#root = root;
    arena.words.fill(~value, root, root + TRIE_ROOT);
  }

  /** Bytes in use. */
  get bytes(): number {
    return (TRIE_ROOT + this.#nodes * NODE_WORDS) * 4;
  }

  /** Most words that one set() allocates. */
  static wordsToSet({ length }: Bits): number {
    return Math.max(0, Math.ceil((length - ROOT_BITS) / STRIDE_BITS)) * NODE_WORDS;
  }

  /** Gives the prefix a value; a second value of the same prefix replaces the first. Cost: the nodes within it. */
  set(prefix: Bits, value: number): void {
    const { length } = prefix;
    let base = this.#root;
    let bit = 0;
    let width = ROOT_BITS;
    while (length > bit + width) {
      base = this.#child(base + bitsAt(prefix.words, bit, width));
      bit += width;
      width = STRIDE_BITS;
    }
    const first = base + bitsAt(prefix.words, bit, width);
    this.#lengthsUpTo(this.#arena.words.length);
    this.#fill(first, first + (1 << (bit + width - length)), length, { value, length });
  }

  /** Takes the prefix out; `outer` is the leaf of the longest prefix around it. Cost: the nodes within it. */
  remove(prefix: Bits, outer: Leaf): void {
    this.#lengthsUpTo(this.#arena.words.length);
    this.#removeIn({ base: this.#root, bit: 0, width: ROOT_BITS }, prefix, outer);
  }

  /** The value of the longest prefix that holds the address. */
  lookup(words: readonly number[]): number {
    let entry = this.#at(this.#root + bitsAt(words, 0, ROOT_BITS));
    for (let bit = ROOT_BITS; entry >= 0; bit += STRIDE_BITS) {
      entry = this.#at(entry + bitsAt(words, bit, STRIDE_BITS));
    }
    return ~entry;
  }

  /** Writes the leaf wherever the prefix of a leaf is not longer than `longest`. */
  #fill(from: number, to: number, longest: number, leaf: Leaf): void {
    const { words } = this.#arena;
    for (let at = from; at < to; at++) {
      const entry = words[at] ?? 0;
      if (entry >= 0) this.#fill(entry, entry + NODE_WORDS, longest, leaf);
      else if ((this.#lengths[at] ?? 0) <= longest) this.#write(at, leaf);
    }
  }

  #removeIn(node: { base: number; bit: number; width: number }, prefix: Bits, outer: Leaf): void {
    const { base, bit, width } = node;
    const first = base + bitsAt(prefix.words, bit, width);
    if (prefix.length <= bit + width) {
      this.#erase(first, first + (1 << (bit + width - prefix.length)), bit + width, { length: prefix.length, outer });
      return;
    }
    const child = this.#at(first);
    if (child < 0) return; // it has never been there
    this.#removeIn({ base: child, bit: bit + width, width: STRIDE_BITS }, prefix, outer);
    this.#collapse(first, bit + width);
  }

  /** Writes the outer leaf over those of prefixes of `length`, and drops nodes that say nothing any more. */
  #erase(from: number, to: number, bit: number, removed: { length: number; outer: Leaf }): void {
    for (let at = from; at < to; at++) {
      const entry = this.#at(at);
      if (entry >= 0) {
        this.#erase(entry, entry + NODE_WORDS, bit + STRIDE_BITS, removed);
        this.#collapse(at, bit);
      } else if (this.#lengths[at] === removed.length) this.#write(at, removed.outer);
    }
  }

  /** Makes the entry at `at` a leaf if all of its node come from one prefix no longer than `bit`. */
  #collapse(at: number, bit: number): void {
    const node = this.#at(at);
    const first = this.#at(node);
    for (let index = node; index < node + NODE_WORDS; index++) {
      if (this.#at(index) >= 0 || (this.#lengths[index] ?? 0) > bit) return;
    }
    this.#write(at, { value: ~first, length: this.#lengths[node] ?? 0 });
    this.#arena.free(node, NODE_WORDS);
    this.#nodes -= 1;
  }

  /** The node that the entry at `offset` leads to; made, with the leaf's value in all its entries, if it is a leaf. */
  #child(offset: number): number {
    const entry = this.#at(offset);
    if (entry >= 0) return entry;
    const node = this.#arena.alloc(NODE_WORDS);
    this.#nodes += 1;
    const { words } = this.#arena;
    this.#lengthsUpTo(words.length);
    words.fill(entry, node, node + NODE_WORDS);
    this.#lengths.fill(this.#lengths[offset] ?? 0, node, node + NODE_WORDS);
    words[offset] = node;
    return node;
  }

  #write(at: number, { value, length }: Leaf): void {
    this.#arena.words[at] = ~value;
    this.#lengths[at] = length;
  }

  #at(offset: number): number {
    return this.#arena.words[offset] ?? 0;
  }

  #lengthsUpTo(count: number): void {
    if (count <= this.#lengths.length) return;
    const grown = new Uint8Array(count);
    grown.set(this.#lengths);
    this.#lengths = grown;
  }
}

/** `width` bits from bit `from` on; they never cross a word. */
function bitsAt(words: readonly number[], from: number, width: number): number {
  return ((words[from >>> 5] ?? 0) >>> (32 - (from & 31) - width)) & ((1 << width) - 1);
}
