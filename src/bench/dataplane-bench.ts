import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { invariant } from '../model/invariant.ts';
import { BenchNetwork, type BenchPod } from './bench-network.ts';
import { BENCH_PORT } from './bench-ports.ts';
import { checkAnswer, connectTimes, exchangeRate, httpRate, streamRate } from './dataplane-loads.ts';
import { conntrack, direct, gated, gatedHaproxy, haproxy, type Way, type WayName } from './dataplane-ways.ts';
import { Haproxy, HTTP_SERVER } from './haproxy.ts';
import { summary } from './timing.ts';

/** What is measured of each way. Rates are a second; `streamBytes` is of one connection. haproxy carries no UDP. */
export interface WayRound {
  readonly connections: number;
  /** With clients on all processors, so that what a way costs cannot be done beside them. */
  readonly saturated: number;
  readonly connectMedianNs: number;
  readonly connectP99Ns: number;
  readonly streamBytes: number;
  readonly exchanges: number | undefined;
  /** Processor time a connection of what judges or carries it, outside of the client's and server's own. */
  readonly cpuMicroseconds: number;
}

/** Medians over the rounds, and medians of the ratios within each round. */
export interface WayFigures {
  readonly way: WayName;
  readonly median: WayRound;
  readonly to: Readonly<Record<Baseline, Partial<Record<Measure, number>>>>;
  /** How many of all the rounds' HTTP connections failed, a few of which are the kernel's: see httpRate. */
  readonly failed: number;
  readonly tried: number;
}

/** The ways that the others are compared with. */
export const BASELINES = ['direct', 'conntrack', 'haproxy', 'gated haproxy'] as const;
/** The name of such a way. */
export type Baseline = (typeof BASELINES)[number];

/** The name of a figure. */
export type Measure = keyof WayRound;

const MEASURES: readonly Measure[] = [
  'connections',
  'saturated',
  'connectMedianNs',
  'connectP99Ns',
  'streamBytes',
  'exchanges',
  'cpuMicroseconds',
];

/**
 * Measures every way side by side: all are up at once, and each round measures one after the other, in turn.
 * Throws LabError without root, haproxy or wrk; an error if an answer is wrong or a connection fails.
 */
export async function measureDataPlane(rounds: number, progress: (text: string) => void): Promise<WayFigures[]> {
  await using stack = new AsyncDisposableStack();
  const network = stack.use(BenchNetwork.create());
  const server = network.attach();
  stack.use(await Haproxy.start(server, HTTP_SERVER, BENCH_PORT.http));
  stack.use(await startPeer(server));
  const ways = [
    stack.use(direct(network)),
    stack.use(conntrack(network)),
    stack.use(await gated(network, server, 'kernel')),
    stack.use(await gated(network, server, 'relay')),
    stack.use(await haproxy(network, server)),
    stack.use(await gatedHaproxy(network, server)),
  ];
  for (const way of ways) {
    checkAnswer(way.pod, server.address);
    await httpRate(way.pod, server.address, 1); // until the compilers have seen it
  }
  const all = new Map<WayName, Measured[]>(ways.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    // Another one first each time.
    for (const [place] of ways.entries()) {
      const way = ways[(place + round) % ways.length];
      invariant(way, 'a way');
      all.get(way.name)?.push(await measureWay(way, server));
    }
  }
  for (const way of ways) checkCounts(way);
  return ways.map(({ name }) => figuresOf(name, all));
}

/** A round, and its HTTP connections. */
interface Measured extends WayRound {
  readonly failed: number;
  readonly tried: number;
}

async function measureWay(way: Way, server: BenchPod): Promise<Measured> {
  const { pod, name } = way;
  const to = server.address;
  const before = way.cpuMicroseconds();
  const { perSecond, requests, failed } = await httpRate(pod, to, 1);
  const cpuMicroseconds = (way.cpuMicroseconds() - before) / requests;
  const saturating = await httpRate(pod, to, availableParallelism());
  const connect = connectTimes(pod, to);
  return {
    connections: perSecond,
    saturated: saturating.perSecond,
    connectMedianNs: connect.median,
    connectP99Ns: connect.p99,
    streamBytes: streamRate(pod, to),
    exchanges: name.endsWith('haproxy') ? undefined : exchangeRate(pod, to),
    cpuMicroseconds,
    failed: failed + saturating.failed,
    tried: requests + failed + saturating.requests + saturating.failed,
  };
}

/** That a way did what its name says. */
function checkCounts(way: Way): void {
  const { judged, carried } = way.counts();
  const hasGate = way.name === 'kernel' || way.name === 'relay' || way.name === 'gated haproxy';
  if (hasGate) invariant(judged > 0, 'the gate has judged');
  if (way.name === 'relay') invariant(carried > 0, 'the relay has carried');
}

function figuresOf(way: WayName, all: ReadonlyMap<WayName, readonly Measured[]>): WayFigures {
  const own = all.get(way) ?? [];
  const median = (of: (round: WayRound, index: number) => number | undefined): number | undefined => {
    const values = own.map(of).filter((value) => value !== undefined && Number.isFinite(value));
    return values.length === 0 ? undefined : summary(values as number[]).median;
  };
  const ratios = (to: WayName): Partial<Record<Measure, number>> => {
    const base = all.get(to) ?? [];
    return Object.fromEntries(
      MEASURES.flatMap((measure) => {
        const ratio = median((round, index) => (round[measure] ?? NaN) / (base[index]?.[measure] ?? NaN));
        return ratio === undefined ? [] : [[measure, ratio]];
      }),
    );
  };
  return {
    way,
    median: {
      connections: median(({ connections }) => connections) ?? 0,
      saturated: median(({ saturated }) => saturated) ?? 0,
      connectMedianNs: median(({ connectMedianNs }) => connectMedianNs) ?? 0,
      connectP99Ns: median(({ connectP99Ns }) => connectP99Ns) ?? 0,
      streamBytes: median(({ streamBytes }) => streamBytes) ?? 0,
      exchanges: median(({ exchanges }) => exchanges),
      cpuMicroseconds: median(({ cpuMicroseconds }) => cpuMicroseconds) ?? 0,
    },
    to: {
      direct: ratios('direct'),
      conntrack: ratios('conntrack'),
      haproxy: ratios('haproxy'),
      'gated haproxy': ratios('gated haproxy'),
    },
    failed: own.reduce((sum, { failed }) => sum + failed, 0),
    tried: own.reduce((sum, { tried }) => sum + tried, 0),
  };
}

/** The far end of the bench's own loads, in a thread of its own. */
async function startPeer(server: BenchPod): Promise<AsyncDisposable> {
  const file = new URL(`./bench-peer-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, { workerData: { namespace: server.namespace } });
  await once(worker, 'message');
  return {
    [Symbol.asyncDispose]: async () => {
      await worker.terminate();
    },
  };
}
