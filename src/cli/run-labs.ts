import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { execCapture, execStart } from '../lab/exec.ts';
import type { LabOptions, LabSpec } from '../lab/lab-client.ts';
import { loadLab, toSpec, type Lab } from '../lab/lab-file.ts';
import { runLab, type RunEvent } from '../lab/runner.ts';
import { labFolder } from '../lab/shipped.ts';
import { LabError } from '../model/lab-error.ts';
import type { Starter } from './backend.ts';
import { LabSession } from './lab-session.ts';
import { totalOf, type LabResult } from './lab-result.ts';
import { printerOf, type RunFormat, type RunPrinter } from './run-printer.ts';
import type { Terminal } from './terminal.ts';

/** What to run. `labs` are shipped names or folders; `name` is for one lab alone. */
export interface RunOrder {
  readonly labs: readonly string[];
  readonly name: string | undefined;
  /** What to have otherwise than the labs say. */
  readonly options: Partial<LabOptions>;
  readonly format: RunFormat;
  /** How many labs to run at a time; undefined for what suits this machine. */
  readonly jobs: number | undefined;
  readonly starter: Starter;
}

/** A lab that is to be run, and from what it starts. */
interface LabRun {
  readonly lab: Lab;
  readonly spec: LabSpec;
}

/** What all runs share. */
interface RunSetting {
  readonly session: LabSession;
  readonly printer: RunPrinter;
  readonly terminal: Terminal;
}

const HOST = { execCapture, execStart, pause, now: () => Date.now() };
const JOBS_A_CORE = 6; // labs mostly wait for connections to time out; of 3, 4, 6 and 8 the fastest, for all labs on two busy cores

/**
 * Runs labs, side by side where they can, and prints what they do. Trouble of one lab leaves the others alone. Each
 * lab is down when this returns or throws, also after a signal.
 * @returns 0, 1 if an expectation failed.
 * @throws LabError if a lab could not be run, after the others have; Interrupted after a signal.
 */
export async function runLabs(order: RunOrder, terminal: Terminal): Promise<number> {
  const startedAt = performance.now();
  const runs = await Promise.all(order.labs.map((lab) => prepare(lab, order)));
  await using session = new LabSession(order.starter.start);
  const printer = printerOf(order.format, { labs: runs.map(({ lab }) => lab), terminal });
  return await session.during(async () => {
    const results = pooled(runs, jobsOf(order), (run) => runOne(run, { session, printer, terminal }));
    // What is no lab's own trouble ends the other runs; it is thrown where the results are awaited.
    results.catch((error: unknown) => void session.end(error).catch(() => undefined));
    await printer.follow(session.signal);
    const found = await results;
    const total = totalOf(found);
    await printer.end(found, { ...total, seconds: secondsSince(startedAt) });
    refuseErrors(found);
    return total.failed === 0 ? 0 : 1;
  });
}

async function prepare(labName: string, { name, options, starter: { backend } }: RunOrder): Promise<LabRun> {
  const lab = await loadLab(await labFolder(labName));
  if (!lab.backends.includes(backend)) {
    throw new LabError(
      'usage',
      `lab ${lab.name} runs by --backend ${lab.backends.join(' or ')} alone, see ${lab.file}`,
    );
  }
  return { lab, spec: await toSpec(lab, name ?? madeUpName(lab.name), options) };
}

function jobsOf({ jobs, starter }: RunOrder): number {
  return starter.backend === 'netns' ? (jobs ?? availableParallelism() * JOBS_A_CORE) : 1;
}

/** Works on all items, on so many at a time, in their order. @returns the results in that order. */
async function pooled<Item, Result>(
  items: readonly Item[],
  workers: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(workers, items.length) }, worker));
  return results;
}

/** A name that no other run has, of what a lab's name may hold. */
function madeUpName(name: string): string {
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? ['lab'];
  return `${words.join('-').slice(0, 32)}-${randomBytes(3).toString('hex')}`.replace('--', '-');
}

async function runOne(run: LabRun, setting: RunSetting): Promise<LabResult> {
  const { lab } = run;
  const { session, printer } = setting;
  const startedAt = performance.now();
  let result: LabResult | undefined;
  try {
    const found = await stepsOf(run, setting).then(
      (steps) => ({ steps, error: undefined }),
      (error: unknown) => {
        if (session.signal.aborted || !(error instanceof LabError)) throw error;
        return { steps: [], error };
      },
    );
    result = { lab, ...found, seconds: secondsSince(startedAt) };
    return result;
  } finally {
    printer.tell(lab, { kind: 'ended', result });
  }
}

async function stepsOf({ lab, spec }: LabRun, { session, printer, terminal }: RunSetting): Promise<LabResult['steps']> {
  await using started = await session.start(spec, (progress) => terminal.progress(`${spec.name}: ${progress}`));
  printer.tell(lab, { kind: 'ready', started });
  const report = (event: RunEvent): void => {
    printer.tell(lab, event);
  };
  return await runLab(lab, started.client, { host: HOST, report, signal: session.signal });
}

/** Says what kept labs from being run. */
function refuseErrors(results: readonly LabResult[]): void {
  const errors = results.flatMap(({ lab, error }) => (error ? [{ lab, error }] : []));
  const [first, ...others] = errors;
  if (!first) return;
  if (others.length === 0) throw first.error;
  throw new LabError(first.error.code, errors.map(({ lab, error }) => `${lab.name}: ${error.message}`).join('\n'));
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000;
}
