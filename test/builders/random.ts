import { Seeded } from '../../src/bench/seeded.ts';

/** Repeatable pseudo-random numbers: the same seed gives the same test. */
export class Random extends Seeded {
  /** An integer from first to last, both included. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** Up to `count` items of the list, without repetition, in random order. */
  some<T>(list: readonly T[], count: number): T[] {
    const left = [...list];
    const chosen: T[] = [];
    while (chosen.length < count && left.length > 0) chosen.push(...left.splice(this.below(left.length), 1));
    return chosen;
  }

  /** From first to last results of `make`. */
  list<T>(first: number, last: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.between(first, last) }, (_, index) => make(index));
  }
}
