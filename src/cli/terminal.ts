import type { Writable } from 'node:stream';
import { LabError } from '../model/lab-error.ts';
import { printable } from '../report/printable.ts';

/** Whoever read the output has gone (`| head`). Ends the verb by way of its own cleaning up; no error to the user. */
export class OutputClosed extends Error {}

/** Where a verb's words go: answers to stdout, warnings and progress to stderr. */
export class Terminal {
  /** Whether stdout takes colour: a terminal, and neither NO_COLOR nor TERM=dumb says otherwise. */
  readonly color: boolean;
  /** Whether somebody watches stderr. */
  readonly watched: boolean;
  readonly #stdout: Writable;
  readonly #stderr: Writable;
  #failure: OutputClosed | LabError | undefined;
  #progressShown = false;

  constructor({ stdout, stderr, env }: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>) {
    const plain = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
    this.color = stdout.isTTY && !plain;
    this.watched = stderr.isTTY && env.TERM !== 'dumb';
    this.#stdout = stdout;
    this.#stderr = stderr;
    stdout.on('error', (error: NodeJS.ErrnoException) => (this.#failure ??= failureOf(error)));
    stderr.on('error', () => undefined);
  }

  /**
   * Writes text as it is, and waits until the reader has taken it.
   * @throws OutputClosed if the reader has gone, LabError environment if output cannot be written.
   */
  async write(text: string): Promise<void> {
    this.#requireWritable();
    this.clearProgress();
    if (this.#stdout.write(text)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        for (const event of ['drain', 'error', 'close']) this.#stdout.off(event, done);
        resolve();
      };
      for (const event of ['drain', 'error', 'close']) this.#stdout.on(event, done);
    });
    this.#requireWritable();
  }

  /** Writes text and a line's end. */
  async print(text: string): Promise<void> {
    await this.write(`${text}\n`);
  }

  /** Writes a value as JSON, indented. */
  async printJson(value: unknown): Promise<void> {
    await this.print(JSON.stringify(value, null, 2));
  }

  /** Writes a line to stderr. */
  complain(text: string): void {
    this.clearProgress();
    this.#stderr.write(`${printable(text)}\n`);
  }

  /** Shows what is going on, in place of what was shown before; only where somebody watches. */
  progress(text: string): void {
    if (!this.watched) return;
    this.#stderr.write(`\r\x1b[K${printable(text)}`);
    this.#progressShown = true;
  }

  /** Removes what `progress` has shown. */
  clearProgress(): void {
    if (!this.#progressShown) return;
    this.#stderr.write('\r\x1b[K');
    this.#progressShown = false;
  }

  #requireWritable(): void {
    if (this.#failure) throw this.#failure;
  }
}

function failureOf(error: NodeJS.ErrnoException): OutputClosed | LabError {
  if (error.code === 'EPIPE') return new OutputClosed();
  return new LabError('environment', `the output cannot be written: ${error.message}`, { cause: error });
}
