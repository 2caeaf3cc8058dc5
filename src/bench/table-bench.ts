import type { Cluster } from '../model/cluster.ts';
import { invariant } from '../model/invariant.ts';
import type { Pod } from '../model/pod.ts';
import type { Connection } from '../model/verdict.ts';
import { parseIp, toBytes, type Family } from '../net/ip.ts';
import { IP_PROTOCOL } from '../net/port.ts';
import { evaluate } from '../reference/evaluate.ts';
import { compile } from '../table/compile.ts';
import { openTable, type Decider } from '../table/decider.ts';
import { LiveTable } from '../table/live-table.ts';
import type { TableStats } from '../table/policy-table.ts';
import { measureChanges } from './table-changes.ts';
import { measureCidrs, type CidrTimes } from './table-cidrs.ts';
import { measure, summary, timeOf, type Times } from './timing.ts';
import { SCALES, workload, type ScaleName } from './workload.ts';
import { workloadQueries } from './workload-queries.ts';

/** Figures of the table at one scale. Times are nanoseconds, but for those whose names end in Ms. */
export interface TableFigures {
  readonly scale: ScaleName;
  readonly seed: number;
  readonly checkedAnswers: number;
  readonly random: Times;
  readonly allowed: Times;
  readonly denied: Times;
  readonly hot: Times;
  readonly ipv6: Times;
  readonly fromText: Times;
  readonly reference: Times;
  readonly timesReference: number;
  /** Reading four words of a large array for each query, at random: what any table's memory costs. */
  readonly bareLoads: Times;
  readonly allocatedBytesPerDecision: number;
  readonly compileMs: Times;
  readonly stats: TableStats;
  readonly snapshotOpenMs: Times;
  readonly changes: Readonly<Record<string, Times>>;
  readonly cidrs: CidrTimes;
  readonly oneNode: { readonly compileMs: Times; readonly bytesBesideTries: number };
}

const QUERIES = 1 << 16;
const ROUNDS = 41;
const SAMPLE = 200;

/** Measures everything at one scale. Throws if the table's answers differ from the reference's. */
export async function measureTable(scale: ScaleName, seed: number): Promise<TableFigures> {
  const cluster = workload(SCALES[scale], seed);
  const compileMs = inMs(summary(Array.from({ length: scale === 'XL' ? 3 : 9 }, () => timeOf(() => compile(cluster)))));
  const { buffer, stats } = compile(cluster);
  const decider = openTable(buffer);
  const queries = (family: Family): Connection[] =>
    workloadQueries(cluster, { count: QUERIES, family, seed, isAllowed: (each) => decideOne(decider, each) === 0 });
  const four = queries(4);
  const six = queries(6);
  const sample = [...four.slice(0, SAMPLE), ...six.slice(0, SAMPLE)];
  for (const each of sample) {
    const right = evaluate(cluster, each).allowed === (decideOne(decider, each) === 0);
    invariant(right, `the table is wrong about ${each.source.text} > ${each.destination.text} ${each.port}`);
  }
  const few = four.slice(0, Math.max(10, Math.floor(20_000_000 / (SCALES[scale].pods + SCALES[scale].policies) / 100)));
  const reference = measure(() => few.map((each) => evaluate(cluster, each)), { count: few.length, rounds: 7 });
  const random = timeDecisions(decider, four);
  return {
    scale,
    seed,
    checkedAnswers: sample.length,
    random,
    allowed: timeDecisions(
      decider,
      four.filter((each) => decideOne(decider, each) === 0),
    ),
    denied: timeDecisions(
      decider,
      four.filter((each) => decideOne(decider, each) !== 0),
    ),
    hot: timeDecisions(decider, repeated(four.slice(0, 16))),
    ipv6: timeDecisions6(decider, six),
    fromText: timeFromText(decider, four),
    reference,
    timesReference: reference.median / random.median,
    bareLoads: timeBareLoads(four, buffer),
    allocatedBytesPerDecision: allocations(decider, four),
    compileMs,
    stats,
    snapshotOpenMs: inMs(measure(() => openTable(buffer), { count: 1, rounds: 9 })),
    changes: measureChanges(LiveTable.from(cluster), (changed) => {
      const after = openTable(changed);
      return four.every((each) => decideOne(after, each) === decideOne(decider, each));
    }),
    cidrs: await measureCidrs(
      cluster,
      four.map(({ destination }) => destination),
    ),
    oneNode: measureOneNode(cluster),
  };
}

function decideOne(decider: Decider, { source, destination, transport, port }: Connection): number {
  if (source.family === 4) {
    return decider.decide4(source.words[0] ?? 0, destination.words[0] ?? 0, IP_PROTOCOL[transport], port);
  }
  const bytes = Uint8Array.from([...toBytes(source.words), ...toBytes(destination.words)]);
  return decider.decide6(bytes, 0, 16, IP_PROTOCOL[transport], port);
}

/** Queries in numbers, side by side as a batch of packets has them. */
function inNumbers(queries: readonly Connection[]): Int32Array {
  return Int32Array.from(
    queries.flatMap(({ source, destination, transport, port }) => [
      source.words[0] ?? 0,
      destination.words[0] ?? 0,
      IP_PROTOCOL[transport],
      port,
    ]),
  );
}

function decideAll(decider: Decider, numbers: Int32Array): number {
  let denied = 0;
  for (let at = 0; at < numbers.length; at += 4) {
    denied += decider.decide4(numbers[at] ?? 0, numbers[at + 1] ?? 0, numbers[at + 2] ?? 0, numbers[at + 3] ?? 0);
  }
  return denied;
}

function timeDecisions(decider: Decider, queries: readonly Connection[]): Times {
  const numbers = inNumbers(queries);
  return measure(() => decideAll(decider, numbers), { count: queries.length, rounds: ROUNDS });
}

function repeated(queries: readonly Connection[]): Connection[] {
  const each = Math.ceil(QUERIES / queries.length);
  return queries.flatMap((query) => Array<Connection>(each).fill(query));
}

function timeDecisions6(decider: Decider, queries: readonly Connection[]): Times {
  const bytes = Uint8Array.from(
    queries.flatMap(({ source, destination }) => [...toBytes(source.words), ...toBytes(destination.words)]),
  );
  const rest = Int32Array.from(queries.flatMap(({ transport, port }) => [IP_PROTOCOL[transport], port]));
  const run = (): number => {
    let denied = 0;
    for (let index = 0; index * 2 < rest.length; index++) {
      denied += decider.decide6(bytes, index * 32, index * 32 + 16, rest[index * 2] ?? 0, rest[index * 2 + 1] ?? 0);
    }
    return denied;
  };
  return measure(run, { count: queries.length, rounds: ROUNDS });
}

function timeFromText(decider: Decider, queries: readonly Connection[]): Times {
  const texts = queries.slice(0, 4096).map(({ source, destination, transport, port }) => {
    return { source: source.text, destination: destination.text, protocol: IP_PROTOCOL[transport], port };
  });
  const run = (): number => {
    let denied = 0;
    for (const { source, destination, protocol, port } of texts) {
      denied += decider.decide4(parseIp(source)?.words[0] ?? 0, parseIp(destination)?.words[0] ?? 0, protocol, port);
    }
    return denied;
  };
  return measure(run, { count: texts.length, rounds: ROUNDS });
}

function timeBareLoads(queries: readonly Connection[], buffer: SharedArrayBuffer): Times {
  const words = new Int32Array(buffer);
  const numbers = inNumbers(queries);
  const size = words.length;
  const run = (): number => {
    let sum = 0;
    for (let at = 0; at < numbers.length; at += 4) {
      const start = (Math.imul(numbers[at] ?? 0, 0x9e3779b1) >>> 0) % size;
      sum = (sum + (words[start] ?? 0) + (words[(start * 7) % size] ?? 0)) | 0;
      sum = (sum + (words[(start * 11) % size] ?? 0) + (words[(start * 13) % size] ?? 0)) | 0;
    }
    return sum;
  };
  return measure(run, { count: queries.length, rounds: ROUNDS });
}

/** Bytes that the heap grows by for each decision. */
function allocations(decider: Decider, queries: readonly Connection[]): number {
  const numbers = inNumbers(queries);
  let least = Infinity;
  for (let round = 0; round < 5; round++) {
    const before = process.memoryUsage().heapUsed;
    for (let again = 0; again < 20; again++) decideAll(decider, numbers);
    least = Math.min(least, Math.max(0, process.memoryUsage().heapUsed - before) / (20 * queries.length));
  }
  return Math.round(least * 100) / 100;
}

/** The table of the pods of one node only. */
function measureOneNode(cluster: Cluster): TableFigures['oneNode'] {
  const node = cluster.pods[0]?.nodeAddresses[0]?.text;
  const subjects = (pod: Pod): boolean => pod.nodeAddresses[0]?.text === node;
  const compileMs = inMs(summary(Array.from({ length: 3 }, () => timeOf(() => compile(cluster, { subjects })))));
  const { stats } = compile(cluster, { subjects });
  return { compileMs, bytesBesideTries: stats.bytes - stats.trieBytes };
}

function inMs({ median, p99, max, min }: Times): Times {
  return { median: median / 1e6, p99: p99 / 1e6, max: max / 1e6, min: min / 1e6 };
}
