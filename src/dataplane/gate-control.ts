// Words of the control buffer.
const CURRENT = 0;
const JUDGING = 1;
const STOP = 2;
const MARKER = 3;
const WORDS = 4;

/**
 * How the main thread and the gate's thread agree on which table is in force, though the latter
 * receives no messages while it is blocked in the kernel.
 *
 * CURRENT is the newest table's version, from 1. JUDGING is the version that the gate's thread
 * judges with, or 0 while it holds no packets. All accesses are Atomics, hence in one total order.
 *
 * Main publishes: CURRENT := v, then reads JUDGING. The gate's thread begins: JUDGING := u (u read
 * from CURRENT), then reads CURRENT again, and starts over unless it is still u.
 * - If main reads JUDGING = 0 (or v), a later begin() of the gate's thread comes after CURRENT := v in
 *   the order, so its second read gives v at least: it cannot begin with an older table.
 * - If main reads an older u, packets may be judged with it now; main waits until JUDGING changes,
 *   which it does only after the verdicts of that batch have been sent.
 * So once awaitQuiet has returned no verdict of an older table is given, nor is one still to be sent.
 */
export class GateControl {
  readonly #words: Int32Array<SharedArrayBuffer>;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT)) {
    this.#words = new Int32Array(buffer);
  }

  /** The shared memory, to be given to the other thread. */
  get buffer(): SharedArrayBuffer {
    return this.#words.buffer;
  }

  /** Main: makes a version the current one. Its table must be on its way to the gate's thread already. */
  publish(version: number): void {
    Atomics.store(this.#words, CURRENT, version);
  }

  /**
   * Main: waits until no older version is judged with. Blocks, as a batch takes well under a
   * millisecond and nothing may happen in between. @returns false if that did not come about in time.
   */
  awaitQuiet(version: number, timeoutMs: number): boolean {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const judging = Atomics.load(this.#words, JUDGING);
      if (judging === 0 || judging >= version) return true;
      const left = deadline - performance.now();
      if (left <= 0) return false;
      Atomics.wait(this.#words, JUDGING, judging, left);
    }
  }

  /** Gate's thread, with packets received and none judged: @returns the version to judge them with. */
  begin(): number {
    for (;;) {
      const version = Atomics.load(this.#words, CURRENT);
      const before = Atomics.exchange(this.#words, JUDGING, version);
      if (before !== 0 && before !== version) Atomics.notify(this.#words, JUDGING);
      if (Atomics.load(this.#words, CURRENT) === version) return version;
    }
  }

  /** Gate's thread, with all verdicts sent; or main, when that thread has ended. */
  rest(): void {
    Atomics.store(this.#words, JUDGING, 0);
    Atomics.notify(this.#words, JUDGING);
  }

  /** Gate's thread: verdicts are sent of every packet that was queued before that marker. */
  reached(marker: number): void {
    Atomics.store(this.#words, MARKER, marker);
    Atomics.notify(this.#words, MARKER);
  }

  /** Main: waits until that marker or a later one is reached. @returns false if that did not come about in time. */
  awaitMarker(marker: number, timeoutMs: number): boolean {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const last = Atomics.load(this.#words, MARKER);
      if (((last - marker) | 0) >= 0) return true; // markers are 32 bits and start again after the last
      const left = deadline - performance.now();
      if (left <= 0) return false;
      Atomics.wait(this.#words, MARKER, last, left);
    }
  }

  /** Main: asks the gate's thread to end. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  /** Whether the gate's thread is to end. */
  get stopping(): boolean {
    return Atomics.load(this.#words, STOP) === 1;
  }
}
