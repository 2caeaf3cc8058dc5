import { PassThrough } from 'node:stream';
import type { Lab } from '../lab/lab-file.ts';
import type { RunEvent } from '../lab/runner.ts';
import { junitXml } from '../report/junit.ts';
import { briefText } from './run-brief.ts';
import { runJson } from './run-json.ts';
import { junitSuite } from './run-junit.ts';
import type { LabResult, Tally } from './lab-result.ts';
import type { StartedLab } from './lab-session.ts';
import { RunText } from './run-text.ts';
import type { Terminal } from './terminal.ts';

/** `brief` is a line a lab, and what failed in it. */
export type RunFormat = 'text' | 'brief' | 'json' | 'junit';

/** What a run tells: that its lab is ready, what happens in it, and how it ended; without a result if it was ended. */
export type RunNews =
  | { readonly kind: 'ready'; readonly started: StartedLab }
  | RunEvent
  | { readonly kind: 'ended'; readonly result: LabResult | undefined };

/** Prints runs: those of several labs go on at once, and are told one after the other. */
export interface RunPrinter {
  tell(lab: Lab, news: RunNews): void;
  /** Prints what the runs tell until all have ended, or the signal aborts. */
  follow(signal: AbortSignal): Promise<void>;
  /** Prints what there is to say at the end. */
  end(results: readonly LabResult[], total: Total): Promise<void>;
}

type Total = Tally & { readonly seconds: number };

interface Printing {
  readonly labs: readonly Lab[];
  readonly terminal: Terminal;
}

/** What prints runs of these labs. */
export function printerOf(format: RunFormat, printing: Printing): RunPrinter {
  const { terminal } = printing;
  switch (format) {
    case 'text':
      return new StoryPrinter(printing);
    case 'brief':
      return new BriefPrinter(printing);
    case 'json':
      return new ReportPrinter((results, total) => terminal.printJson(runJson(results, total)));
    case 'junit':
      return new ReportPrinter((results) => terminal.print(junitXml(results.map(junitSuite))));
  }
}

/** Everything, lab by lab. */
class StoryPrinter implements RunPrinter {
  readonly #text: RunText;
  readonly #terminal: Terminal;
  readonly #words: Map<Lab, PassThrough>;

  constructor({ labs, terminal }: Printing) {
    this.#terminal = terminal;
    this.#text = new RunText(terminal.color);
    this.#words = new Map(labs.map((lab) => [lab, new PassThrough({ objectMode: true })]));
    for (const [lab, words] of this.#words) words.write(this.#text.heading(lab));
  }

  tell(lab: Lab, news: RunNews): void {
    const words = this.#words.get(lab);
    if (news.kind === 'ended') words?.end();
    else if (news.kind === 'ready') words?.write(this.#text.ready(news.started.status, news.started.startMs));
    else words?.write(this.#text.event(news));
  }

  async follow(signal: AbortSignal): Promise<void> {
    for (const [index, words] of [...this.#words.values()].entries()) {
      if (signal.aborted) return;
      if (index > 0) await this.#terminal.print('\n');
      for await (const text of words) await this.#terminal.write(String(text));
    }
  }

  async end(_results: readonly LabResult[], total: Total): Promise<void> {
    await this.#terminal.print(`\n${this.#text.tally(total, total.seconds)}`);
  }
}

/** A line a lab, in the order in which they end. */
class BriefPrinter implements RunPrinter {
  readonly #terminal: Terminal;
  readonly #width: number;
  readonly #lines = new PassThrough({ objectMode: true });
  #left: number;

  constructor({ labs, terminal }: Printing) {
    this.#terminal = terminal;
    this.#width = Math.max(...labs.map(({ name }) => name.length));
    this.#left = labs.length;
  }

  tell(_lab: Lab, news: RunNews): void {
    if (news.kind !== 'ended') return;
    if (news.result) this.#lines.write(briefText(news.result, { width: this.#width, color: this.#terminal.color }));
    if (--this.#left === 0) this.#lines.end();
  }

  async follow(signal: AbortSignal): Promise<void> {
    // Labs that have not begun when the signal comes never end.
    signal.addEventListener('abort', () => this.#lines.destroy());
    for await (const text of this.#lines.iterator({ destroyOnReturn: false })) {
      await this.#terminal.print(String(text));
    }
  }

  async end(results: readonly LabResult[], total: Total): Promise<void> {
    const labs = results.length === 1 ? '1 lab' : `${results.length} labs`;
    await this.#terminal.print(`${labs}: ${new RunText(this.#terminal.color).tally(total, total.seconds)}`);
  }
}

/** One document when all have ended. */
class ReportPrinter implements RunPrinter {
  readonly end: RunPrinter['end'];

  constructor(end: RunPrinter['end']) {
    this.end = end;
  }

  tell(): void {
    // it is all in the document
  }

  follow(): Promise<void> {
    return Promise.resolve();
  }
}
