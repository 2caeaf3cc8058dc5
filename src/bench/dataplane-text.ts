import { columns, few, placeText, type BenchPlace } from './bench-text.ts';
import { BASELINES, type Measure, type WayFigures } from './dataplane-bench.ts';

const ROWS: readonly (readonly [title: string, measure: Measure, unit: number])[] = [
  ['connections a second', 'connections', 1],
  ['connect, µs, median', 'connectMedianNs', 1000],
  ['connect, µs, p99', 'connectP99Ns', 1000],
  ['one stream, MB a second', 'streamBytes', 1e6],
  ['UDP exchanges a second', 'exchanges', 1],
  ['processor a connection, µs', 'cpuMicroseconds', 1],
];

/** The figures for people: a column a way, and under each figure its ratios. */
export function dataPlaneFiguresText(all: readonly WayFigures[], rounds: number, place: BenchPlace): string {
  const show = (value: number | undefined): string => (value === undefined ? '-' : few(value));
  const rows = ROWS.flatMap(([title, measure, unit]) => {
    const figures = all.map(({ median }) => median[measure]);
    const lines = [[title, ...figures.map((value) => show(value === undefined ? undefined : value / unit))]];
    // Nothing of ours runs beside a direct connection.
    if (measure === 'cpuMicroseconds') return lines;
    for (const base of BASELINES) {
      if (measure === 'exchanges' && base.endsWith('haproxy')) continue;
      lines.push([`  to ${base}`, ...all.map(({ to }) => show(to[base][measure]))]);
    }
    return lines;
  });
  return [
    ...columns([['', ...all.map(({ way }) => way)], ...rows]),
    '',
    `${placeText(place)}; medians of ${rounds} rounds, of ratios within a round; load by wrk, 32 clients with connections of`,
    'their own; haproxy with one thread, as client-side proxy and as the HTTP server of all; answers are checked. haproxy lets a',
    "client connect before the server has answered, and judges nothing; gated, both of a connection's SYNs are judged, as with",
    "the relay. conntrack is the kernel's connection tracking and no more.",
    ...all
      .filter(({ failed }) => failed > 0)
      .map(({ way, failed, tried }) => `${way}: ${failed} of ${tried} connections failed.`),
  ].join('\n');
}
