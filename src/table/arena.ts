import { HEADER, MAX_WORDS, PLACE, seal, writeHeader } from './layout.ts';

const LINE_WORDS = 16; // 64 bytes
const SLAB_WORDS = 512;
const GROWTH = 1.5;

/** How much larger than needed a copy is whose memory is to be used again. */
const ROOM_TO_GROW = 1.25;

/**
 * The memory of a live table: blocks of words in one shared buffer, and how readers see it change.
 *
 * What readers can reach changes in commit() only. The sequence word is odd meanwhile: a reader that
 * finds it odd, or another after its decision than before, decides again. So every decision is that
 * of the table before a commit or after it, and what a commit frees is used again at once, though
 * some reader may be on its way there. Blocks that no reader can reach yet are written at any time.
 *
 * Readers use plain loads, for Atomics.load costs as much as a decision. So this relies on loads that
 * are done in the order in which they are written, as the engine and x86-64 do. On a processor that
 * reorders them, let no reader decide during a commit: the gate's handshake around a batch does so.
 */
export class Arena {
  /** The buffer's words. Another array after an allocation that made the buffer grow. */
  words: Int32Array<SharedArrayBuffer>;
  #end: number = PLACE.blocks;
  #free = new Map<number, number[]>();
  #freed: (readonly [offset: number, size: number])[] = [];
  #freeWords = 0;
  #shared = false;

  constructor() {
    this.words = new Int32Array(new SharedArrayBuffer((PLACE.blocks + SLAB_WORDS) * 4));
    writeHeader(this.words);
  }

  /** Bytes in use; the buffer may be larger. */
  get usedBytes(): number {
    return (this.#end - this.#freeWords) * 4;
  }

  /** The buffer, for readers. From now on it changes by commits only. */
  share(): SharedArrayBuffer {
    this.#shared = true;
    return this.words.buffer;
  }

  /** A block of zeros. Throws RangeError if the table would exceed 1 GiB. */
  alloc(size: number): number {
    const free = this.#free.get(size);
    const offset = free?.pop();
    if (offset === undefined) return this.#carve(size);
    this.#freeWords -= size;
    this.words.fill(0, offset, offset + size);
    return offset;
  }

  /** Gives a block back, once the commit that nothing leads to it after is done. */
  free(offset: number, size: number): void {
    this.#freed.push([offset, size]);
  }

  /** Lets `change` write words that readers can reach. `extra` is how many words it may allocate at most. */
  commit(change: () => void, extra: number): void {
    // A buffer that grew halfway would leave its readers an odd sequence for ever.
    if (this.#shared) this.#reserve(extra);
    Atomics.add(this.words, HEADER.sequence, 1);
    change();
    Atomics.add(this.words, HEADER.sequence, 1);
    for (const [offset, size] of this.#freed) {
      this.#listOf(size).push(offset);
      this.#freeWords += size;
    }
    this.#freed = [];
  }

  /**
   * A copy of what is in use, which never changes.
   * @param into an earlier copy that nobody reads any more: its memory is used again if that is enough and not
   * far too much; if not, the copy has room for later ones.
   */
  snapshot(into?: SharedArrayBuffer): SharedArrayBuffer {
    const size = into ? Math.ceil(this.#end * ROOM_TO_GROW) : this.#end;
    const fits = into !== undefined && into.byteLength >= this.#end * 4 && into.byteLength <= size * 8;
    const words = new Int32Array(fits ? into : new SharedArrayBuffer(size * 4));
    words.set(this.words.subarray(0, this.#end));
    seal(words);
    return words.buffer;
  }

  #listOf(size: number): number[] {
    let free = this.#free.get(size);
    if (!free) this.#free.set(size, (free = []));
    return free;
  }

  /** A block of fresh words: small ones from a slab of their size, so that none crosses a cache line in vain. */
  #carve(size: number): number {
    const whole = size >= SLAB_WORDS / 4;
    const slab = Math.ceil((whole ? size : SLAB_WORDS) / LINE_WORDS) * LINE_WORDS;
    this.#reserve(slab);
    const offset = this.#end;
    this.#end += slab;
    if (whole) return offset;
    const free = this.#listOf(size);
    const count = Math.floor(slab / size);
    for (let index = count - 1; index > 0; index--) free.push(offset + index * size);
    this.#freeWords += (count - 1) * size;
    return offset;
  }

  #reserve(words: number): void {
    const needed = this.#end + words;
    if (needed <= this.words.length) return;
    if (needed > MAX_WORDS) throw new RangeError(`the policy table needs ${needed} words; it may have ${MAX_WORDS}`);
    const length = Math.min(MAX_WORDS, Math.ceil((needed * GROWTH) / SLAB_WORDS) * SLAB_WORDS);
    const grown = new Int32Array(new SharedArrayBuffer(length * 4));
    grown.set(this.words.subarray(0, this.#end));
    writeHeader(grown);
    // Whoever reads the old buffer goes on with the table as it is now.
    if (this.#shared) Atomics.store(this.words, HEADER.moved, 1);
    this.words = grown;
  }
}
