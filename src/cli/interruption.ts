import { constants } from 'node:os';

/** A signal asked the program to end. */
export class Interrupted extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.signal = signal;
  }

  /** 128 + the signal's number, as shells count. */
  get exitCode(): number {
    return 128 + constants.signals[this.signal];
  }
}

/** Signals that ask the program to end. */
export const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Does work whose AbortSignal aborts with an Interrupted when a signal asks the program to end. */
export async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    abort.abort(new Interrupted(signal));
  };
  for (const signal of ENDING) process.on(signal, onSignal);
  try {
    return await work(abort.signal);
  } finally {
    for (const signal of ENDING) process.off(signal, onSignal);
  }
}
