import { columns, few, placeText, type BenchPlace } from './bench-text.ts';
import type { TableFigures } from './table-bench.ts';
import type { Times } from './timing.ts';
import { SCALES } from './workload.ts';

/** The figures for people: a column a scale; medians, with the 99th percentile or the largest where it matters. */
export function tableFiguresText(all: readonly TableFigures[], place: BenchPlace): string {
  const rows: [string, (figures: TableFigures) => string][] = [
    ['pods / policies / CIDRs', ({ scale }) => Object.values(SCALES[scale]).join(' / ')],
    ['random decision, ns', ({ random }) => spread(random)],
    ['  allowed / denied, ns', ({ allowed, denied }) => `${few(allowed.median)} / ${few(denied.median)}`],
    ['hot decision, ns', ({ hot }) => spread(hot)],
    ['random decision, IPv6, ns', ({ ipv6 }) => spread(ipv6)],
    ['random decision from text, ns', ({ fromText }) => spread(fromText)],
    ['million random decisions a second', ({ random }) => few(1000 / random.median)],
    ['reference evaluator, ns', ({ reference }) => spread(reference)],
    ['times the reference', ({ timesReference }) => few(timesReference)],
    ['four random loads from as much memory, ns', ({ bareLoads }) => spread(bareLoads)],
    ['bytes allocated a decision', ({ allocatedBytesPerDecision }) => few(allocatedBytesPerDecision)],
    ['compile, ms', ({ compileMs }) => spread(compileMs)],
    ['memory of the table, MB', ({ stats }) => few(stats.bytes / 1e6)],
    ['open a snapshot, ms', ({ snapshotOpenMs }) => spread(snapshotOpenMs)],
    ...Object.keys(all[0]?.changes ?? {}).map((kind): [string, (figures: TableFigures) => string] => [
      `change: ${kind}, µs`,
      ({ changes }) => changeText(changes[kind]),
    ]),
    ['IPv4 prefix lookup, ns', ({ cidrs }) => spread(cidrs.trie)],
    ['  node:net BlockList, ns', ({ cidrs }) => spread(cidrs.blockList)],
    ['  ipaddr.js, ns', ({ cidrs }) => spread(cidrs.ipaddr)],
    ['  netmask, ns', ({ cidrs }) => (cidrs.netmask ? spread(cidrs.netmask) : 'not installed')],
    ['  times BlockList', ({ cidrs }) => few(cidrs.timesBlockList)],
    ['one node of 110 pods: compile, ms', ({ oneNode }) => spread(oneNode.compileMs)],
    ['  memory beside the tries, MB', ({ oneNode }) => few(oneNode.bytesBesideTries / 1e6)],
  ];
  const cells = [
    ['median (p99)', ...all.map(({ scale }) => scale)],
    ...rows.map(([title, of]) => [title, ...all.map(of)]),
  ];
  const checked = all.reduce((sum, figures) => sum + figures.checkedAnswers, 0);
  return [
    ...columns(cells),
    '',
    `${placeText(place)}, seed ${all[0]?.seed ?? 0}; ` + `${checked} answers were compared with the reference first`,
  ].join('\n');
}

function spread({ median, p99 }: Times): string {
  return `${few(median)} (${few(p99)})`;
}

function changeText(times: Times | undefined): string {
  return times === undefined
    ? '-'
    : `${few(times.median / 1000)} (${few(times.p99 / 1000)}, max ${few(times.max / 1000)})`;
}
