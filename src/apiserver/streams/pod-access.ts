import type { Duplex, Writable } from 'node:stream';

/** A pod. */
export interface PodReference {
  readonly namespace: string;
  readonly pod: string;
}

/** A container of a pod. */
export interface ContainerReference extends PodReference {
  readonly container: string;
}

/** The size of a terminal in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** A command to run in a container. With a terminal its output and its errors are one. */
export interface PodCommand {
  readonly command: readonly string[];
  readonly input: boolean;
  readonly terminal: boolean;
}

/** A process in a pod, as one client sees it. */
export interface PodProcess {
  /** Its standard input; undefined if it takes none from this client. */
  readonly input: Writable | undefined;
  /** Its standard output, or what its terminal shows, to its end. A reader that pauses makes it pause. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Its standard error; undefined if a terminal shows it. */
  readonly errors: AsyncIterable<Uint8Array> | undefined;
  /** Resolves when it has ended: its exit code, 128 + the signal's number if one ended it. */
  readonly exitCode: Promise<number>;
  /** Tells its terminal, if it has one, how large it is shown. */
  resize(size: TerminalSize): void;
  /** Its client is gone. */
  release(): void;
}

/** What a container wrote at a time (RFC 3339, UTC, nanoseconds): a line with its end, or a piece of one. */
export interface LogRecord {
  readonly time: string;
  readonly text: Uint8Array;
}

/** Which records to read of a container's log: of its last run or the one before, and whether those to come too. */
export interface LogSelection {
  readonly previous: boolean;
  readonly follow: boolean;
  /** The last so many lines of what is there; undefined for all. */
  readonly tailLines: number | undefined;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/** What streams need of what runs the pods. Requests that cannot be met are thrown as ApiErrors. */
export interface PodAccess {
  /** Throws a 400 if the container does not run; what exec() needs besides is there then. */
  requireRunning(target: ContainerReference): void;
  /** Starts a command in a container. It ends when the process is released, or the pod ends. */
  exec(target: ContainerReference, command: PodCommand): PodProcess;
  /** Whatever the container's own process writes from now on, and its input if it has one. Its end is a success. */
  attach(target: ContainerReference): PodProcess;
  /** The log of a container, oldest records first. Throws a 400 if it has not begun, or there was no run before. */
  log(target: ContainerReference, selection: LogSelection): AsyncIterable<readonly LogRecord[]>;
  /** Aborted when the pod ends. Throws a 400 if it does not run. */
  podEnd(target: PodReference): AbortSignal;
  /** A connection to a port of the pod's own loopback. Rejects with why there is none. */
  connect(target: PodReference, port: number): Promise<Duplex>;
}
