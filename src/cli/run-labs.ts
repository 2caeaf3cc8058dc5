import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { execCapture } from '../lab/exec.ts';
import type { LabOptions, LabSpec } from '../lab/lab-client.ts';
import { loadLab, toSpec, type Lab } from '../lab/lab-file.ts';
import { isMet, runLab, type RunEvent, type StepResult } from '../lab/runner.ts';
import { labFolder } from '../lab/shipped.ts';
import type { Starter } from './backend.ts';
import { Interrupted } from './interruption.ts';
import { LabSession } from './lab-session.ts';
import { runJson, type LabResult } from './run-json.ts';
import { RunText, type Tally } from './run-text.ts';
import type { Terminal } from './terminal.ts';

/** What to run. `labs` are shipped names or folders; `name` is for one lab alone. */
export interface RunOrder {
  readonly labs: readonly string[];
  readonly name: string | undefined;
  /** What to have otherwise than the labs say. */
  readonly options: Partial<LabOptions>;
  readonly format: 'text' | 'json';
  readonly starter: Starter;
}

/** A lab that is run, and what there is to read about it so far. */
interface LabRun {
  readonly lab: Lab;
  readonly spec: LabSpec;
  readonly words: PassThrough;
}

const HOST = { execCapture, now: () => Date.now() };

/**
 * Runs labs, side by side where they can, and prints them one after the other. Each is down when this returns or
 * throws, also after a signal.
 * @returns 0, 1 if an expectation failed, 128 + the number of the signal that ended it.
 */
export async function runLabs(order: RunOrder, terminal: Terminal): Promise<number> {
  const startedAt = performance.now();
  const runs = await Promise.all(order.labs.map((lab) => prepare(lab, order)));
  await using session = new LabSession(order.starter.start);
  try {
    const results = order.starter.sideBySide
      ? Promise.all(runs.map((run) => runOne(run, session, terminal)))
      : oneByOne(runs, (run) => runOne(run, session, terminal));
    // The first failure ends the other runs; it is thrown where the results are awaited.
    results.catch((error: unknown) => void session.end(error).catch(() => undefined));
    if (order.format === 'text') await printInOrder(runs, session.signal, terminal);
    const found = await results;
    const tally = tallyOf(found.flatMap(({ steps }) => steps));
    const seconds = (performance.now() - startedAt) / 1000;
    if (order.format === 'text') await terminal.print(new RunText(terminal.color).tally(tally, seconds));
    else await terminal.printJson(runJson(found, { ...tally, seconds }));
    return tally.failed === 0 ? 0 : 1;
  } catch (error) {
    const reason: unknown = session.signal.aborted ? session.signal.reason : error;
    if (reason instanceof Interrupted) return reason.exitCode;
    throw reason;
  }
}

async function prepare(labName: string, { name, options }: Pick<RunOrder, 'name' | 'options'>): Promise<LabRun> {
  const lab = await loadLab(await labFolder(labName));
  const spec = await toSpec(lab, name ?? madeUpName(lab.name), options);
  return { lab, spec, words: new PassThrough({ objectMode: true }) };
}

async function oneByOne<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

/** A name that no other run has, of what a lab's name may hold. */
function madeUpName(name: string): string {
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? ['lab'];
  return `${words.join('-').slice(0, 32)}-${randomBytes(3).toString('hex')}`.replace('--', '-');
}

async function runOne({ lab, spec, words }: LabRun, session: LabSession, terminal: Terminal): Promise<LabResult> {
  const text = new RunText(terminal.color);
  try {
    words.write(text.heading(lab));
    await using started = await session.start(spec, (progress) => terminal.progress(`${spec.name}: ${progress}`));
    words.write(text.ready(started.status, started.startMs));
    const report = (event: RunEvent): unknown => words.write(text.event(event));
    return { lab, steps: await runLab(lab, started.client, { host: HOST, report, signal: session.signal }) };
  } finally {
    words.end();
  }
}

async function printInOrder(runs: readonly LabRun[], signal: AbortSignal, terminal: Terminal): Promise<void> {
  for (const [index, { words }] of runs.entries()) {
    if (signal.aborted) return;
    if (index > 0) await terminal.print('\n');
    for await (const text of words) await terminal.write(String(text));
  }
}

function tallyOf(steps: readonly StepResult[]): Tally {
  const results = steps.flatMap(({ expectations }) => expectations);
  const met = results.filter(isMet).length;
  return { met, failed: results.length - met };
}
