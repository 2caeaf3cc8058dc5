import type { TableFigures } from './table-bench.ts';
import type { Times } from './timing.ts';
import { SCALES } from './workload.ts';

/** What the chart needs of the figures of one scale. */
export interface ChartFigures {
  readonly scale: TableFigures['scale'];
  readonly random: Pick<Times, 'median'>;
  readonly reference: Pick<Times, 'median'>;
}

const WIDTH = 720;
const HEIGHT = 360;
const PLOT = { left: 70, right: 570, top: 40, bottom: 300 };
// Readable on a page of either brightness.
const INK = '#6e7781';
const GRID = '#d0d7de55';

const SERIES = [
  { key: 'reference', title: 'reference evaluator', color: '#bc4c00' },
  { key: 'random', title: 'decision table', color: '#0969da' },
] as const;

/**
 * An SVG chart of what a random decision costs at each scale, against the reference evaluator in the
 * same run; both axes logarithmic. The same figures give the same text.
 */
export function costChart(figures: readonly ChartFigures[]): string {
  const counts = figures.map(({ scale }) => SCALES[scale].pods);
  const costs = figures.flatMap((each) => SERIES.map(({ key }) => each[key].median));
  const x = axis([Math.min(...counts), Math.max(...counts)], [PLOT.left + 20, PLOT.right - 20]);
  const decades = decadesOf(costs);
  const y = axis([decades[0] ?? 1, decades.at(-1) ?? 10], [PLOT.bottom, PLOT.top]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    text({ x: PLOT.left, y: 20 }, 'Nanoseconds a random decision, median'),
    ...decades.map((value) => {
      const at = y(value);
      return (
        `<path d="M${PLOT.left} ${at}H${PLOT.right}" stroke="${GRID}"/>` +
        text({ x: PLOT.left - 8, y: at + 4, anchor: 'end' }, value.toLocaleString('en'))
      );
    }),
    ...figures.map(({ scale }) => scaleLabel(scale, x(SCALES[scale].pods))),
    ...SERIES.map(({ key, title, color }) => {
      const points = figures.map((each) => [x(SCALES[each.scale].pods), y(each[key].median)] as const);
      return line(points, { title, color, values: figures.map((each) => each[key].median) });
    }),
    '</svg>',
    '',
  ].join('\n');
}

/** A logarithmic axis: from values to places, in pixels rounded to tenths. */
function axis(
  [first, last]: readonly [number, number],
  [from, to]: readonly [number, number],
): (value: number) => number {
  const length = Math.log10(last / first) || 1;
  return (value) => Math.round((from + ((to - from) * Math.log10(value / first)) / length) * 10) / 10;
}

/** The powers of ten around these values. */
function decadesOf(values: readonly number[]): number[] {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: Math.max(2, last - first + 1) }, (_, index) => 10 ** (first + index));
}

function scaleLabel(scale: ChartFigures['scale'], at: number): string {
  const { pods, policies } = SCALES[scale];
  const lines = [`${pods.toLocaleString('en')} pods`, `${policies.toLocaleString('en')} policies`];
  return lines.map((line, index) => text({ x: at, y: PLOT.bottom + 24 + 17 * index, anchor: 'middle' }, line)).join('');
}

function line(
  points: readonly (readonly [x: number, y: number])[],
  { title, color, values }: { title: string; color: string; values: readonly number[] },
): string {
  const [endX = 0, endY = 0] = points.at(-1) ?? [];
  return [
    `<path d="M${points.map((point) => point.join(' ')).join('L')}" fill="none" stroke="${color}" stroke-width="2"/>`,
    ...points.map(([x, y], index) => {
      const label = Number((values[index] ?? 0).toPrecision(3)).toLocaleString('en');
      return `<circle cx="${x}" cy="${y}" r="4" fill="${color}"/>${text({ x, y: y - 10, anchor: 'middle', color }, label)}`;
    }),
    text({ x: endX + 12, y: endY + 4, color }, title),
  ].join('');
}

function text(
  {
    x,
    y,
    anchor = 'start',
    color = INK,
  }: { x: number; y: number; anchor?: 'start' | 'middle' | 'end'; color?: string },
  content: string,
): string {
  return `<text x="${x}" y="${y}" fill="${color}" text-anchor="${anchor}">${content}</text>`;
}
