/** An attempt to connect, as programs in pods report it. Times are of the machine's monotonic clock, in nanoseconds. */
export interface Attempt {
  readonly id: string;
  readonly startedNs: number;
  /** When its first packet had been handed to the kernel. */
  readonly sentNs: number;
  /** When it was answered; null if it was not. */
  readonly answeredNs: number | null;
}

/** Where a dialling program dials, and how. */
export interface DialOrder {
  readonly lanes: readonly Lane[];
}

/** Attempts one after another. A lane with a source port uses that one again and again, so it has one attempt at a time. */
export interface Lane {
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP';
  /** Tried in turns. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly sourcePort?: number;
  /** From the start of an attempt to that of the next. */
  readonly everyMs: number;
  /** How long an answer is waited for. */
  readonly patienceMs: number;
}

/** The machine's monotonic clock, which all processes share, in nanoseconds: exact for a hundred days after its start. */
export function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}
