import type { Arena } from './arena.ts';
import { ENTRY, TRIE_ROOT } from './layout.ts';

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

/** A node on the way down: the offset of its entries, the bits before its own, and at which step it is. */
interface Level {
  readonly base: number;
  readonly bit: number;
  readonly step: number;
}

/**
 * Longest-prefix match over the addresses of one family: a multibit trie whose steps have the same
 * strides everywhere, its root first. An entry is that of a node, or where no longer prefix follows the
 * value: a lookup needs to remember nothing on its way down. See layout.ts for what entries are.
 * Values are multiples of 4 below 2^28, as offsets of records are.
 */
export class PrefixTrie {
  readonly #arena: Arena;
  readonly #root: Level;
  readonly #strides: readonly number[];
  #words = TRIE_ROOT;
  #lengths = new Uint8Array(0); // of each leaf, the length of its prefix; only writers need it

  /** @param root where its root lies in the arena. @param value of the addresses that no prefix holds. */
  constructor(arena: Arena, strides: readonly number[], { root, value }: { root: number; value: number }) {
    this.#arena = arena;
    this.#root = { base: root, bit: 0, step: 0 };
    this.#strides = strides;
    arena.words.fill(leafEntry(value), root, root + TRIE_ROOT);
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#words * 4;
  }

  /** Most words that one set() allocates. */
  wordsToSet({ length }: Bits): number {
    let words = 0;
    let bit = 0;
    for (const stride of this.#strides) {
      if (bit > 0 && bit < length) words += 1 << stride;
      bit += stride;
    }
    return words;
  }

  /** Gives the prefix a value; a second value of the same prefix replaces the first. Cost: the nodes within it. */
  set(prefix: Bits, value: number): void {
    const { length } = prefix;
    let level = this.#root;
    while (length > this.#endOf(level)) {
      const at = level.base + this.#indexIn(level, prefix.words);
      level = this.#below(level, this.#child(at, level.step + 1));
    }
    const first = level.base + this.#indexIn(level, prefix.words);
    this.#lengthsUpTo(this.#arena.words.length);
    this.#fill(level, [first, first + (1 << (this.#endOf(level) - length))], { value, length });
  }

  /** Takes the prefix out; `outer` is the leaf of the longest prefix around it. Cost: the nodes within it. */
  remove(prefix: Bits, outer: Leaf): void {
    this.#lengthsUpTo(this.#arena.words.length);
    this.#removeIn(this.#root, prefix, outer);
  }

  /** The value of the longest prefix that holds the address. */
  lookup(words: readonly number[]): number {
    let entry = this.#at(this.#root.base + bitsAt(words, 0, this.#strides[0] ?? 0));
    for (let bit = this.#strides[0] ?? 0, step = 1; isNode(entry); step++) {
      const stride = this.#strides[step] ?? 0;
      entry = this.#at(offsetIn(entry) + bitsAt(words, bit, stride));
      bit += stride;
    }
    return offsetIn(entry);
  }

  /** Writes the leaf to these entries of a node, wherever the prefix of a leaf is not longer than the leaf's. */
  #fill(level: Level, [from, to]: readonly [from: number, to: number], leaf: Leaf): void {
    const { words } = this.#arena;
    const lengths = this.#lengths;
    const { length } = leaf;
    const written = leafEntry(leaf.value);
    for (let at = from; at < to; at++) {
      const entry = words[at] ?? 0;
      if (isNode(entry)) {
        const below = this.#below(level, offsetIn(entry));
        this.#fill(below, [below.base, below.base + this.#sizeOf(below.step)], leaf);
      } else if ((lengths[at] ?? 0) <= length) {
        words[at] = written;
        lengths[at] = length;
      }
    }
  }

  #removeIn(level: Level, prefix: Bits, outer: Leaf): void {
    const end = this.#endOf(level);
    const first = level.base + this.#indexIn(level, prefix.words);
    if (prefix.length <= end) {
      this.#erase(level, [first, first + (1 << (end - prefix.length))], { length: prefix.length, outer });
      return;
    }
    const child = this.#at(first);
    if (!isNode(child)) return; // it has never been there
    const below = this.#below(level, offsetIn(child));
    this.#removeIn(below, prefix, outer);
    this.#collapse(first, below);
  }

  /** Writes the outer leaf over those of prefixes of `length`, and drops nodes that say nothing any more. */
  #erase(
    level: Level,
    [from, to]: readonly [from: number, to: number],
    removed: { length: number; outer: Leaf },
  ): void {
    for (let at = from; at < to; at++) {
      const entry = this.#at(at);
      if (isNode(entry)) {
        const below = this.#below(level, offsetIn(entry));
        this.#erase(below, [below.base, below.base + this.#sizeOf(below.step)], removed);
        this.#collapse(at, below);
      } else if (this.#lengths[at] === removed.length) this.#write(at, removed.outer);
    }
  }

  /** Makes the entry at `at` a leaf if all of its node come from one prefix that is no longer than the node's bits. */
  #collapse(at: number, { base, bit, step }: Level): void {
    const size = this.#sizeOf(step);
    for (let index = base; index < base + size; index++) {
      if (isNode(this.#at(index)) || (this.#lengths[index] ?? 0) > bit) return;
    }
    this.#write(at, { value: offsetIn(this.#at(base)), length: this.#lengths[base] ?? 0 });
    this.#arena.free(base, size);
    this.#words -= size;
  }

  /** Offset of the node that the entry at `at` leads to; made, with the leaf's value in all its entries, if it is a leaf. */
  #child(at: number, step: number): number {
    const entry = this.#at(at);
    if (isNode(entry)) return offsetIn(entry);
    const size = this.#sizeOf(step);
    const node = this.#arena.alloc(size);
    this.#words += size;
    const { words } = this.#arena;
    this.#lengthsUpTo(words.length);
    words.fill(entry, node, node + size);
    this.#lengths.fill(this.#lengths[at] ?? 0, node, node + size);
    words[at] = (node << ENTRY.shift) | (size - 1);
    return node;
  }

  #below({ bit, step }: Level, base: number): Level {
    return { base, bit: bit + (this.#strides[step] ?? 0), step: step + 1 };
  }

  /** The bits that are told apart when its entry is known. */
  #endOf({ bit, step }: Level): number {
    return bit + (this.#strides[step] ?? 0);
  }

  #indexIn({ bit, step }: Level, words: readonly number[]): number {
    return bitsAt(words, bit, this.#strides[step] ?? 0);
  }

  #sizeOf(step: number): number {
    return 1 << (this.#strides[step] ?? 0);
  }

  #write(at: number, { value, length }: Leaf): void {
    this.#arena.words[at] = leafEntry(value);
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

/** The entry of the record at an offset. */
export function leafEntry(offset: number): number {
  return offset << ENTRY.shift;
}

function isNode(entry: number): boolean {
  return (entry & ENTRY.mask) !== 0;
}

/** Where the node or record lies. */
function offsetIn(entry: number): number {
  return (entry & ~ENTRY.mask) >>> ENTRY.shift;
}

/** `width` bits from bit `from` on; they never cross a word. */
function bitsAt(words: readonly number[], from: number, width: number): number {
  return ((words[from >>> 5] ?? 0) >>> (32 - (from & 31) - width)) & ((1 << width) - 1);
}
