import { columns, few, placeText, type BenchPlace } from './bench-text.ts';
import { BASELINES, type Baseline, type Measure, type WayFigures } from './dataplane-bench.ts';

/** A figure, the unit that it is shown in, and the ways that it is compared with. */
interface Row {
  readonly title: string;
  readonly measure: Measure;
  readonly unit: number;
  readonly bases: readonly Baseline[];
}

const ROWS: readonly Row[] = [
  { title: 'connections a second', measure: 'connections', unit: 1, bases: BASELINES },
  { title: 'with a client a processor', measure: 'saturated', unit: 1, bases: BASELINES },
  { title: 'connect, µs, median', measure: 'connectMedianNs', unit: 1000, bases: ['direct'] },
  { title: 'connect, µs, p99', measure: 'connectP99Ns', unit: 1000, bases: ['direct'] },
  { title: 'one stream, MB a second', measure: 'streamBytes', unit: 1e6, bases: BASELINES },
  { title: 'UDP exchanges a second', measure: 'exchanges', unit: 1, bases: ['direct'] },
  { title: 'processor a connection, µs', measure: 'cpuMicroseconds', unit: 1, bases: [] },
];

/** The figures for people: a column a way, and under each figure its ratios. */
export function dataPlaneFiguresText(all: readonly WayFigures[], rounds: number, place: BenchPlace): string {
  const show = (value: number | undefined): string => (value === undefined ? '-' : few(value));
  const rows = ROWS.flatMap(({ title, measure, unit, bases }) => [
    [title, ...all.map(({ median: { [measure]: value } }) => show(value === undefined ? undefined : value / unit))],
    ...bases.map((base) => [`  to ${base}`, ...all.map(({ to }) => show(to[base][measure]))]),
  ]);
  return [
    ...columns([['', ...all.map(({ way }) => way)], ...rows]),
    '',
    `${placeText(place)}; medians of ${rounds} rounds, of ratios within a round.`,
    'Load by wrk, 32 clients with connections of their own, in one thread, then in as many as there are processors; answers are',
    "checked. conntrack is the kernel's connection tracking and no more. haproxy, with one thread, is the client's proxy and the",
    'HTTP server of all: it lets a client connect before the server has answered, and judges nothing. Gated, both of a',
    "connection's SYNs are judged, as with the relay.",
    ...all
      .filter(({ failed }) => failed > 0)
      .map(({ way, failed, tried }) => `${way}: ${failed} of ${tried} connections failed.`),
  ].join('\n');
}
