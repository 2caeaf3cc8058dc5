/** Grants so many a second, by the clock of what is counted. */
export class PerSecond {
  readonly #most: number;
  #second = 0;
  #granted = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether one more is granted. @param timeMs since the epoch. */
  take(timeMs: number): boolean {
    const second = Math.trunc(timeMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#granted = 0;
    }
    this.#granted += 1;
    return this.#granted <= this.#most;
  }
}
