import { printableLine } from './printable.ts';

const GAP = 3; // spaces between columns. Source: kubectl's printers

/** Rows as aligned columns, the way kubectl prints them; the last column is not padded. Empty without rows. */
export function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(printableLine));
  const widths = columnWidths(cells);
  return cells
    .map((row) => row.map((cell, column) => pad(cell, column < row.length - 1 ? widths[column] : 0)).join(''))
    .join('\n');
}

function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return widths;
}

function pad(cell: string, width = 0): string {
  return width === 0 ? cell : cell.padEnd(width + GAP);
}
