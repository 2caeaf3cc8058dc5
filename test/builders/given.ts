/** The value, or an error that names what a test wrote down wrong. */
export function given<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`bad test data: ${what}`);
  return value;
}
