import type { FlowEvent } from '../flows/flow-event.ts';
import type { Captured, PodCommand, StartedCommand } from './exec.ts';
import type { ConnectExpectation, PodExpectation, RunExpectation, StartedExpectation } from './expectation-schema.ts';
import type { LabClient, LabOptions, ProbeResult } from './lab-client.ts';

/** What the runner needs of this machine. `now` is in ms since the epoch, by the clock that stamps flow events. */
export interface RunHost {
  execCapture(client: LabClient, command: PodCommand & { timeoutMs: number }): Promise<Captured>;
  execStart(client: LabClient, command: PodCommand): Promise<StartedCommand>;
  pause(ms: number): Promise<unknown>;
  now(): number;
}

/** What became of an expectation. */
export interface Outcome {
  /** How reality differs from what is expected, each in a line; none if the expectation is met. */
  readonly failures: readonly string[];
  readonly ms: number;
  /** First packets that left the pod or host meanwhile, allowed or denied, in order. */
  readonly flows: readonly FlowEvent[];
  /** The flow that explains what was seen: the last that was denied if something failed, else what a gateway asked about, else the last. */
  readonly decisive: FlowEvent | null;
}

/** A command that ran. `pod` is the pod that it ran in, as `NAMESPACE/POD`. */
export interface RunResult extends Outcome {
  readonly kind: 'run';
  readonly expectation: RunExpectation;
  readonly pod: string;
  readonly exit: number;
  readonly output: string;
}

/** A connection that was tried. */
export interface ConnectResult extends Outcome {
  readonly kind: 'connect';
  readonly expectation: ConnectExpectation;
  readonly outcome: ProbeResult['outcome'];
}

/** A pod that was watched. `seen` is how it was at the end. */
export interface PodResult extends Outcome {
  readonly kind: 'pod';
  readonly expectation: PodExpectation;
  readonly seen: PodExpectation['is'] | 'pending';
}

/** A started command whose output was watched. */
export interface StartedResult extends Outcome {
  readonly kind: 'started';
  readonly expectation: StartedExpectation;
  readonly output: string;
}

/** What became of one expectation. */
export type ExpectationResult = RunResult | ConnectResult | PodResult | StartedResult;

/** A lab that is tried out, and the machine that does it. `started` are the commands that go on, by their names. */
export interface Trial {
  readonly client: LabClient;
  readonly host: RunHost;
  readonly options: LabOptions;
  readonly started: ReadonlyMap<string, StartedCommand>;
  readonly signal: AbortSignal;
}
