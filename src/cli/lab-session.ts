import { connectLab } from '../lab/connect.ts';
import type { LabClient, LabSpec, LabStatus } from '../lab/lab-client.ts';
import { startLab } from '../lab/start.ts';
import type { Starter } from './backend.ts';
import { ENDING, Interrupted } from './interruption.ts';

/** A lab that runs. Disposing ends it. */
export interface StartedLab extends AsyncDisposable {
  readonly client: LabClient;
  readonly status: LabStatus;
  /** How long it took to start. */
  readonly startMs: number;
}

/**
 * Labs that a command starts and that do not outlive it: disposing the session ends them all, and
 * so does a signal, with an Interrupted as the reason of `signal`.
 */
export class LabSession implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #start: Starter['start'];
  readonly #running = new Set<StartedLab>();
  #lastStart: Promise<unknown> = Promise.resolve();

  constructor(start: Starter['start'] = startLab) {
    this.#start = start;
    for (const signal of ENDING) process.on(signal, this.#onSignal);
  }

  /** Aborts as soon as the labs are being ended. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Starts a lab. Labs start one after the other: side by side they would only take the machine from each other. */
  start(spec: LabSpec, onProgress: (text: string) => void): Promise<StartedLab> {
    const started = this.#lastStart.then(async () => {
      this.signal.throwIfAborted();
      const startedAt = performance.now();
      const status = await this.#start(spec, onProgress, { signal: this.signal });
      const startMs = performance.now() - startedAt;
      const lab = this.#keep({ status, startMs, client: await connectLab(spec.name) });
      if (this.signal.aborted) await lab[Symbol.asyncDispose]();
      this.signal.throwIfAborted();
      return lab;
    });
    this.#lastStart = started.catch(() => undefined);
    return started;
  }

  /** What the work comes to. If the labs are ended meanwhile, throws why, whatever the work has met then. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw this.signal.aborted ? this.signal.reason : error;
    }
  }

  /** Ends all labs. A reason that was given before stays. */
  async end(reason: unknown): Promise<void> {
    this.#abort.abort(reason);
    await this.#lastStart;
    await Promise.all([...this.#running].map((lab) => lab[Symbol.asyncDispose]()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end(new Error('the session is over'));
    for (const signal of ENDING) process.off(signal, this.#onSignal);
  }

  #keep(started: Omit<StartedLab, typeof Symbol.asyncDispose>): StartedLab {
    let stopped: Promise<void> | undefined;
    const lab: StartedLab = {
      ...started,
      [Symbol.asyncDispose]: () => (stopped ??= started.client.stop().finally(() => this.#running.delete(lab))),
    };
    this.#running.add(lab);
    return lab;
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    // Whoever awaits the session meets the same failure again.
    this.end(new Interrupted(signal)).catch(() => undefined);
  };
}
