/** Where figures were measured. */
export interface BenchPlace {
  readonly machine: string;
  readonly node: string;
  /** The commit measured, or the package's version where there is no repository. */
  readonly commit: string;
}

/** The place in one line. */
export function placeText({ machine, node, commit }: BenchPlace): string {
  return `${machine}, Node ${node}, ${commit}`;
}

/** Rows as lines, each column as wide as its widest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Three digits that count. */
export function few(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
