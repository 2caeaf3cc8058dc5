/** Times of many runs, in nanoseconds each. */
export interface Times {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
  readonly min: number;
}

/** What these times are like. */
export function summary(times: readonly number[]): Times {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { median: at(0.5), p99: at(0.99), max: at(1), min: at(0) };
}

/** Time of one call, in nanoseconds. */
export function timeOf(call: () => unknown): number {
  const start = performance.now();
  call();
  return (performance.now() - start) * 1e6;
}

/**
 * Times `rounds` calls of `run`, which does `count` things each, after a second as many to warm up.
 * @returns nanoseconds a thing.
 */
export function measure(run: () => unknown, { count, rounds }: { count: number; rounds: number }): Times {
  for (let round = 0; round < Math.min(rounds, 5); round++) run();
  return summary(Array.from({ length: rounds }, () => timeOf(run) / count));
}
