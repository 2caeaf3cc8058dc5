const LISTED = 5; // names that a message lists where none is near

/**
 * What to say after "no pod X": the nearest of the names that exist, or a few of them.
 * Cost: proportional to the number of names; for error messages only.
 */
export function suggestion(wanted: string, names: readonly string[]): string {
  const near = nearestName(wanted, names);
  if (near !== undefined) return `; did you mean ${near}?`;
  if (names.length === 0) return '';
  const more = names.length > LISTED ? `, … (${names.length} in all)` : '';
  return `; there ${names.length === 1 ? 'is' : 'are'} ${names.slice(0, LISTED).join(', ')}${more}`;
}

/** The name that the fewest edits make of the wanted one. @returns undefined if none is within a third of its length. */
export function nearestName(wanted: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let fewest = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    if (Math.abs(name.length - wanted.length) >= fewest) continue;
    const edits = distance(wanted, name);
    if (edits < fewest) [nearest, fewest] = [name, edits];
  }
  return nearest;
}

/** Optimal string alignment distance: insert, delete, replace, or swap two neighbours. */
function distance(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1];
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      current.push(
        Math.min(
          at(last, column) + 1,
          at(current, column - 1) + 1,
          at(last, column - 1) + (same ? 0 : 1),
          swapped ? at(beforeLast, column - 2) + 1 : Infinity,
        ),
      );
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, other.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
