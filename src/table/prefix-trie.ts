import type { Prefix } from '../net/prefix.ts';
import { TRIE_ROOT } from './layout.ts';
import { WordList } from './word-list.ts';

const ROOT_BITS = 16;
const STRIDE_BITS = 4;
const NODE_WORDS = 1 << STRIDE_BITS;

/** An address or a prefix, as far as a trie is concerned. */
export type Bits = Pick<Prefix, 'words' | 'length'>;

/**
 * Longest-prefix match over the addresses of one family: a multibit trie, the first 16 bits in its
 * root, then nodes of 4 bits. An entry is the offset of a node, or ~value where no longer prefix
 * follows: a lookup needs to remember nothing on its way down.
 * Values are integers from 0 to 2^31 - 1.
 */
export class PrefixTrie {
  readonly #nodes = new WordList(TRIE_ROOT + 64 * NODE_WORDS);
  #longest = 0;

  /** @param value of the addresses that no prefix holds. */
  constructor(value: number) {
    this.#nodes.extend(TRIE_ROOT);
    this.#nodes.words.fill(~value, 0, TRIE_ROOT);
  }

  /** The root and the nodes; entries that are no leaves are offsets into this. */
  get words(): Int32Array {
    return this.#nodes.words.subarray(0, this.#nodes.length);
  }

  /**
   * Gives the prefix a value; a second value of the same prefix replaces the first.
   * Throws RangeError if a longer prefix is in the trie already: the order spares it the memory of what leaves stood for.
   */
  insert(prefix: Bits, value: number): void {
    if (prefix.length < this.#longest) throw new RangeError('prefixes are inserted shortest first');
    this.#longest = prefix.length;
    const nodes = this.#nodes;
    let base = 0;
    let bit = 0;
    let width = ROOT_BITS;
    while (prefix.length > bit + width) {
      base = this.#child(base + bitsAt(prefix.words, bit, width));
      bit += width;
      width = STRIDE_BITS;
    }
    const first = base + bitsAt(prefix.words, bit, width);
    nodes.words.fill(~value, first, first + (1 << (bit + width - prefix.length)));
  }

  /** The value of the longest prefix that holds the address. */
  lookup(words: readonly number[]): number {
    let entry = this.#nodes.at(bitsAt(words, 0, ROOT_BITS));
    for (let bit = ROOT_BITS; entry >= 0; bit += STRIDE_BITS) {
      entry = this.#nodes.at(entry + bitsAt(words, bit, STRIDE_BITS));
    }
    return ~entry;
  }

  /** The node that the entry at `offset` leads to; made, with the leaf's value in all its entries, if it is a leaf. */
  #child(offset: number): number {
    const entry = this.#nodes.at(offset);
    if (entry >= 0) return entry;
    const node = this.#nodes.extend(NODE_WORDS);
    this.#nodes.words.fill(entry, node, node + NODE_WORDS);
    this.#nodes.words[offset] = node;
    return node;
  }
}

/** `width` bits from bit `from` on; they never cross a word. */
function bitsAt(words: readonly number[], from: number, width: number): number {
  return ((words[from >>> 5] ?? 0) >>> (32 - (from & 31) - width)) & ((1 << width) - 1);
}
