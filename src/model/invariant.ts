/** Throws if a thing that cannot be false is: a bug of ours, not the user's. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`);
}
