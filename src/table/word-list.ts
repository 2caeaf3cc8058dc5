/** 32-bit words in a row that grow as needed; new words are 0. */
export class WordList {
  words: Int32Array;
  length = 0;

  constructor(capacity: number) {
    this.words = new Int32Array(Math.max(1, capacity));
  }

  /** Makes room for `count` more words. @returns the offset of the first. Amortised cost: that of writing them. */
  extend(count: number): number {
    const offset = this.length;
    this.length += count;
    if (this.length > this.words.length) {
      const grown = new Int32Array(Math.max(this.length, this.words.length * 2));
      grown.set(this.words);
      this.words = grown;
    }
    return offset;
  }

  /** The word at an offset below `length`. */
  at(offset: number): number {
    return this.words[offset] ?? 0;
  }
}
