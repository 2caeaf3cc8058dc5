import { painter } from './color.ts';
import { printableLine } from './printable.ts';

/**
 * Who reaches whom: row `from`, column `to`, both in the order of `pods`.
 * `predicted` is there where `allowed` is what real connections met.
 */
export interface Matrix {
  readonly pods: readonly string[];
  readonly allowed: readonly (readonly boolean[])[];
  readonly predicted?: readonly (readonly boolean[])[];
}

/** A pair of pods whose real connection was not as predicted. */
export interface Difference {
  readonly from: string;
  readonly to: string;
  readonly allowed: boolean;
}

/** Where the probe and the prediction differ, row by row. None without a prediction. */
export function differences(matrix: Matrix): Difference[] {
  return matrix.pods.flatMap((from, row) =>
    matrix.pods.flatMap((to, column) => {
      const allowed = matrix.allowed[row]?.[column] ?? false;
      const predicted = matrix.predicted?.[row]?.[column] ?? allowed;
      return predicted === allowed ? [] : [{ from, to, allowed }];
    }),
  );
}

/**
 * The matrix for people: a row a pod, columns numbered like the rows, `x` where a connection passes,
 * `.` where it does not, `!` where it was not as predicted; below it each difference in words.
 */
export function matrixText(matrix: Matrix, options: { title: string; color: boolean }): string {
  const paint = painter(options.color);
  const count = matrix.pods.length;
  const digits = String(count).length;
  const names = matrix.pods.map(printableLine);
  const nameWidth = Math.max(0, ...names.map((name) => name.length));
  const header = ' '.repeat(digits + 1 + nameWidth) + ruler(count, digits);
  const rows = names.map((name, row) => {
    const cells = matrix.pods.map((_, column) => cellOf(matrix, row, column));
    const text = cells.map((cell) => ' '.repeat(digits) + paint(STYLES[cell], cell)).join('');
    return `${String(row + 1).padStart(digits)} ${name.padEnd(nameWidth)}${text}`;
  });
  const unlike = differences(matrix);
  return [
    printableLine(options.title),
    header,
    ...rows,
    legend(matrix, unlike.length),
    ...unlike.map(({ from, to, allowed }) =>
      paint('red', printableLine(`differs: ${from} -> ${to}: ${allowed ? 'passed' : 'blocked'}, predicted otherwise`)),
    ),
  ].join('\n');
}

/** The matrix as comma-separated values: a header of destinations, then a line a source with `true` and `false`. */
export function matrixCsv(matrix: Matrix): string {
  const header = ['from', ...matrix.pods];
  const rows = matrix.pods.map((from, row) => [from, ...(matrix.allowed[row] ?? []).map(String)]);
  return [header, ...rows].map((cells) => cells.map(csvCell).join(',')).join('\n');
}

type Cell = 'x' | '.' | '!';

const STYLES = { x: 'green', '.': 'dim', '!': 'red' } as const satisfies Record<Cell, string>;

function cellOf({ allowed, predicted }: Matrix, row: number, column: number): Cell {
  const passes = allowed[row]?.[column] ?? false;
  if (predicted && predicted[row]?.[column] !== passes) return '!';
  return passes ? 'x' : '.';
}

/** The columns' numbers, each right-aligned over its cells. */
function ruler(count: number, digits: number): string {
  return Array.from({ length: count }, (_, column) => String(column + 1).padStart(digits + 1)).join('');
}

function legend(matrix: Matrix, unlike: number): string {
  const cells = matrix.allowed.flat();
  const passing = cells.filter((cell) => cell).length;
  const tally = `rows from, columns to; x passes (${passing} of ${cells.length}), . does not`;
  if (!matrix.predicted) return tally;
  return `${tally}; ${unlike === 0 ? 'all as predicted' : `! not as predicted (${unlike})`}`;
}

/** A cell, quoted where it must be. Source: RFC 4180 §2. */
function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
