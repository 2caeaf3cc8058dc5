import type { Matrix } from './matrix.ts';
import { xmlText } from './xml.ts';

/** What a picture of a matrix is of. */
export interface PictureOptions {
  readonly title: string;
  /** The workload that a pod belongs to, as `NAMESPACE/KIND/NAME`; the pod itself if it has none. */
  readonly workloadOf: (pod: string) => string;
}

const MOST_PODS = 40; // with a row each; more are told by workload
const CELL = 16;
const GAP = 6; // between namespaces
const CHARACTER = 6.7; // width at 11 px in most fonts
const MARGIN = 12;
const HEADER = 40;

const FILLS = { all: '#2f9e62', some: '#f0b429', none: '#e9ecef', wrong: '#d6336c', itself: '#ced4da' } as const;
const LEGEND: readonly (readonly [keyof typeof FILLS, string])[] = [
  ['all', 'passes'],
  ['some', 'passes for some pods'],
  ['none', 'does not pass'],
  ['wrong', 'not as predicted'],
];

/** Pods that share a row and a column. */
interface Line {
  readonly name: string;
  /** Places in the matrix. */
  readonly pods: readonly number[];
  /** Where it begins, in pixels from the first. */
  readonly offset: number;
}

/**
 * The matrix as an SVG: rows from, columns to, apart by namespace. With many pods, a row a workload, of which a
 * cell says whether all, some or no connections pass. Each cell has its numbers as a tooltip.
 */
export function matrixSvg(matrix: Matrix, { title, workloadOf }: PictureOptions): string {
  const lines = linesOf(matrix, matrix.pods.length > MOST_PODS ? workloadOf : (pod) => pod);
  const side = (lines.at(-1)?.offset ?? 0) + CELL;
  const labels = Math.ceil(Math.max(0, ...lines.map(({ name }) => name.length)) * CHARACTER) + 8;
  const [left, top] = [MARGIN + labels, HEADER + labels];
  const [width, height] = [Math.max(left + side + MARGIN, 480), top + side + HEADER];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Helvetica, Arial, sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${MARGIN}" y="24" font-size="16">${xmlText(title)}</text>`,
    ...lines.flatMap(({ name, offset }) => [
      `<text x="${left - 6}" y="${top + offset + 12}" text-anchor="end">${xmlText(name)}</text>`,
      `<text transform="translate(${left + offset + 12} ${top - 6}) rotate(-90)">${xmlText(name)}</text>`,
    ]),
    ...lines.flatMap((from) =>
      lines.map((to) => cellRect(cellOf(matrix, from, to), { x: left + to.offset, y: top + from.offset })),
    ),
    ...legend(top + side + 18, matrix.predicted !== undefined),
    '</svg>',
  ].join('\n');
}

/** The picture as a page of its own. */
export function matrixHtml(matrix: Matrix, options: PictureOptions): string {
  const cells = matrix.allowed.flat();
  const passing = cells.filter((allowed) => allowed).length;
  return [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><title>${xmlText(options.title)}</title>`,
    '<style>body { font: 14px Helvetica, Arial, sans-serif; margin: 24px } svg rect:hover { stroke: #000 }</style></head>',
    `<body><p>${passing} of ${cells.length} pairs of ${matrix.pods.length} pods pass. Rows from, columns to; point at a cell for its numbers.</p>`,
    matrixSvg(matrix, options),
    '</body></html>',
  ].join('\n');
}

/** The pods in lines, by namespace. */
function linesOf({ pods }: Matrix, nameOf: (pod: string) => string): Line[] {
  const places = pods.map((pod, index) => ({ name: nameOf(pod), index }));
  const groups = [...Map.groupBy(places, ({ name }) => name)].sort(([one], [other]) => (one < other ? -1 : 1));
  let offset = 0;
  let namespace: string | undefined;
  return groups.map(([name, members]) => {
    const own = name.split('/')[0];
    if (namespace !== undefined && own !== namespace) offset += GAP;
    namespace = own;
    const line = { name, pods: members.map(({ index }) => index), offset };
    offset += CELL;
    return line;
  });
}

interface Cell {
  readonly kind: keyof typeof FILLS;
  readonly tip: string;
}

function cellOf(matrix: Matrix, from: Line, to: Line): Cell {
  const pairs = from.pods
    .flatMap((row) => to.pods.map((column) => ({ row, column })))
    .filter(({ row, column }) => row !== column);
  const passes = ({ row, column }: { row: number; column: number }): boolean => matrix.allowed[row]?.[column] ?? false;
  const passing = pairs.filter(passes).length;
  const wrong = pairs.filter(
    (pair) => (matrix.predicted?.[pair.row]?.[pair.column] ?? passes(pair)) !== passes(pair),
  ).length;
  const tip = `${from.name} -> ${to.name}: ${passing} of ${pairs.length}${wrong === 0 ? '' : `, ${wrong} not as predicted`}`;
  if (pairs.length === 0) return { kind: 'itself', tip: from.name };
  if (wrong > 0) return { kind: 'wrong', tip };
  return { kind: passing === pairs.length ? 'all' : passing === 0 ? 'none' : 'some', tip };
}

function cellRect({ kind, tip }: Cell, { x, y }: { x: number; y: number }): string {
  const size = CELL - 1;
  return `<rect x="${x}" y="${y}" width="${size}" height="${size}" fill="${FILLS[kind]}"><title>${xmlText(tip)}</title></rect>`;
}

function legend(y: number, isProbed: boolean): string[] {
  let x = MARGIN;
  return LEGEND.filter(([kind]) => kind !== 'wrong' || isProbed).flatMap(([kind, text]) => {
    const at = x;
    x += 28 + text.length * CHARACTER;
    return [
      `<rect x="${at}" y="${y - 10}" width="12" height="12" fill="${FILLS[kind]}"/>`,
      `<text x="${at + 17}" y="${y}">${text}</text>`,
    ];
  });
}
