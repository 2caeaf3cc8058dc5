import { libc } from './libc.ts';

const SLOW_MS = 2;
const REST_MS = 100;

/**
 * Lets the other threads of this processor run before the caller sleeps. What they send to it meanwhile it takes without
 * being woken, which costs more than judging a packet. Not while programs are about that use up their time, as they
 * keep the caller from its processor for milliseconds.
 */
export class Yielding {
  readonly #letOthersRun: () => void;
  readonly #now: () => number;
  #nextAt = 0;

  /** @param now in milliseconds. */
  constructor(letOthersRun: () => void = libc.sched_yield, now: () => number = () => performance.now()) {
    this.#letOthersRun = letOthersRun;
    this.#now = now;
  }

  /** @returns whether others could run, so that there may be something to do. Cost: under 1 µs where nobody wants to. */
  yield(): boolean {
    const start = this.#now();
    if (start < this.#nextAt) return false;
    this.#letOthersRun();
    const end = this.#now();
    if (end - start > SLOW_MS) this.#nextAt = end + REST_MS;
    return true;
  }
}
