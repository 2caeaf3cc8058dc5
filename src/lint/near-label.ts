import { nearText, nearValue } from '../model/near-value.ts';
import { meets, type Labels, type Selector } from '../model/selector.ts';

/**
 * The label that a selector may have meant: for a requirement that nobody meets, the nearest value of
 * that key, or the nearest key. @returns `app=web instead of app=wbe`; undefined if nothing is near.
 */
export function nearLabel({ requirements }: Selector, population: readonly Labels[]): string | undefined {
  for (const requirement of requirements) {
    const { key, operator, values } = requirement;
    if (operator !== 'In' && operator !== 'Exists') continue;
    if (population.some((labels) => meets(requirement, labels))) continue;
    for (const value of values) {
      const near = nearValue(key, value, population);
      if (near !== undefined) return `${key}=${near} instead of ${key}=${value}`;
    }
    if (population.some((labels) => labels.has(key))) continue;
    const other = nearestKey(requirement, population);
    if (other !== undefined) return `key ${other} instead of ${key}`;
  }
  return undefined;
}

/** A key spelt nearly so; for a value that is wanted, only one that has it. */
function nearestKey(
  { key, values }: { readonly key: string; readonly values: readonly string[] },
  population: readonly Labels[],
): string | undefined {
  const labels = population.flatMap((each) => [...each]);
  const fitting = labels.filter(([, value]) => values.length === 0 || values.includes(value)).map(([name]) => name);
  return nearText(key, fitting);
}
