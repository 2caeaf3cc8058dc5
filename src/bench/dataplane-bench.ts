import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { invariant } from '../model/invariant.ts';
import { BenchNetwork, type BenchPod } from './bench-network.ts';
import { BENCH_PORT } from './bench-ports.ts';
import { checkAnswer, connectTimes, exchangeRate, httpRate, streamRate } from './dataplane-loads.ts';
import { direct, gated, haproxy, type Way, type WayName } from './dataplane-ways.ts';
import { Haproxy, HTTP_SERVER } from './haproxy.ts';
import { summary } from './timing.ts';

/** What is measured of each way. Rates are a second; `streamBytes` is of one connection. haproxy carries no UDP. */
export interface WayRound {
  readonly connections: number;
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
  readonly toDirect: Partial<Record<Measure, number>>;
  readonly toHaproxy: Partial<Record<Measure, number>>;
}

/** The name of a figure. */
export type Measure = keyof WayRound;

const MEASURES: readonly Measure[] = [
  'connections',
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
    stack.use(await gated(network, server, 'kernel')),
    stack.use(await gated(network, server, 'relay')),
    stack.use(await haproxy(network, server)),
  ];
  for (const way of ways) {
    checkAnswer(way.pod, server.address);
    await httpRate(way.pod, server.address); // until the compilers have seen it
  }
  const all = new Map<WayName, WayRound[]>(ways.map(({ name }) => [name, []]));
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

async function measureWay(way: Way, server: BenchPod): Promise<WayRound> {
  const { pod, name } = way;
  const to = server.address;
  const before = way.cpuMicroseconds();
  const { perSecond, requests } = await httpRate(pod, to);
  const cpuMicroseconds = (way.cpuMicroseconds() - before) / requests;
  const connect = connectTimes(pod, to);
  return {
    connections: perSecond,
    connectMedianNs: connect.median,
    connectP99Ns: connect.p99,
    streamBytes: streamRate(pod, to),
    exchanges: name === 'haproxy' ? undefined : exchangeRate(pod, to),
    cpuMicroseconds,
  };
}

/** That a way did what its name says. */
function checkCounts(way: Way): void {
  const { judged, carried } = way.counts();
  if (way.name === 'kernel' || way.name === 'relay') invariant(judged > 0, 'the gate has judged');
  if (way.name === 'relay') invariant(carried > 0, 'the relay has carried');
}

function figuresOf(way: WayName, all: ReadonlyMap<WayName, readonly WayRound[]>): WayFigures {
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
      connectMedianNs: median(({ connectMedianNs }) => connectMedianNs) ?? 0,
      connectP99Ns: median(({ connectP99Ns }) => connectP99Ns) ?? 0,
      streamBytes: median(({ streamBytes }) => streamBytes) ?? 0,
      exchanges: median(({ exchanges }) => exchanges),
      cpuMicroseconds: median(({ cpuMicroseconds }) => cpuMicroseconds) ?? 0,
    },
    toDirect: ratios('direct'),
    toHaproxy: ratios('haproxy'),
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
