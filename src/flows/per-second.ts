/** Grants so many a second, by the clock of what is counted. */
export class PerSecond {
  readonly #most: number;
  #second = 0;
  #granted = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether so many more are granted; the first always are. @param timeMs since the epoch. */
  take(count: number, timeMs: number): boolean {
    const second = Math.trunc(timeMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#granted = 0;
    }
    if (this.#granted > 0 && this.#granted + count > this.#most) return false;
    this.#granted += count;
    return true;
  }
}
