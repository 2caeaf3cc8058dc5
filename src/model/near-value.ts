import { nearestName } from './nearest-name.ts';
import type { Labels } from './selector.ts';

const SHORTEST = 3; // characters: of shorter texts each is near any other

/** The nearest of these names, but for a text that is too short to say. */
export function nearText(wanted: string, names: readonly string[]): string | undefined {
  return wanted.length < SHORTEST ? undefined : nearestName(wanted, [...new Set(names)]);
}

/** The value of a label that may have been meant by one that nobody of the population has; undefined if none is near. */
export function nearValue(key: string, value: string, population: readonly Labels[]): string | undefined {
  const known = population.flatMap((labels) => labels.get(key) ?? []);
  return known.includes(value) ? undefined : nearText(value, known);
}
