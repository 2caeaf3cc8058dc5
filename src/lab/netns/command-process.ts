import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { setImmediate as afterPolling, setTimeout as delay } from 'node:timers/promises';
import type { PodProcess, TerminalSize } from '../../apiserver/streams/pod-access.ts';
import { inNamespace } from '../../dataplane/libc.ts';
import { podEntry, type PodFiles } from './pod-command.ts';
import { Terminal } from './terminal.ts';

/** A command to start in a pod. `namespace` is the pod's network (a descriptor). */
export interface ProcessStart {
  readonly namespace: number;
  readonly files: PodFiles;
  readonly command: readonly string[];
  /** Empty for this process's own. */
  readonly workingDir: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly input: boolean;
  readonly terminal: boolean;
}

const KILL_AFTER_MS = 1_000; // a lab ends quickly; Kubernetes' default would be 30 s
const QUIET_MS = 50;
const CANNOT_START = 126; // as a shell says it: the machine has no process left to give
// How reading ends other than by an end: a terminal that nobody has open any more, a stream that was closed here.
const ENDS = new Set(['EIO', 'ERR_STREAM_PREMATURE_CLOSE']);

/** A process in a pod that leads a session of its own, with pipes or a terminal to this process. */
export class CommandProcess implements PodProcess {
  /** undefined if it takes no input. */
  readonly input: Writable | undefined;
  /** Its standard output, or what its terminal shows, to its end. To be read by one reader. */
  readonly output: AsyncIterable<Buffer>;
  /** Its standard error; undefined with a terminal. */
  readonly errors: AsyncIterable<Buffer> | undefined;
  /** Resolves when it has ended: its exit code, 128 + the signal's number if one ended it. Its output may go on a little. */
  readonly exitCode: Promise<number>;
  readonly #child: ChildProcess;
  readonly #terminal: Terminal | undefined;

  constructor(start: ProcessStart) {
    this.#terminal = start.terminal ? new Terminal() : undefined;
    this.#child = this.#terminal ? onTerminal(start, this.#terminal) : onPipes(start);
    const { stdin, stdout, stderr } = this.#child;
    const screen = this.#terminal?.screen;
    const outputs = [screen ?? stdout, stderr].filter((stream) => stream !== null);
    this.input = start.input ? (screen ?? stdin ?? undefined) : undefined;
    this.output = chunksOf(outputs[0]);
    this.errors = screen ? undefined : chunksOf(outputs[1]);
    for (const stream of [stdin, ...outputs]) stream?.on('error', () => undefined); // told by reading, or of no interest
    this.exitCode = exitOf(this.#child);
    // What it has left in the background may keep its output open for ever.
    void this.exitCode.then(() => outputs.map(closeOnceQuiet));
  }

  resize(size: TerminalSize): void {
    this.#terminal?.resize(size);
  }

  release(): void {
    if (this.#isRunning) void this.end(); // what a command has left in the background may go on
  }

  /** Ends it and its process group: asks first, then kills. Resolves when it is gone. */
  async end(): Promise<void> {
    if (this.#isRunning) {
      this.#terminal?.screen.destroy(); // hangs up
      this.#signal('SIGTERM');
      const timer = setTimeout(() => this.#signal('SIGKILL'), KILL_AFTER_MS);
      await this.exitCode;
      clearTimeout(timer);
    }
    this.#signal('SIGKILL'); // what it left behind in its group
  }

  get #isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-(this.#child.pid ?? NaN), signal);
    } catch {
      this.#child.kill(signal); // it has not come to lead a group yet; or it has ended, and then this does nothing
    }
  }
}

function onPipes({ namespace, files, command, workingDir, environment, input }: ProcessStart): ChildProcess {
  const [program = '', ...args] = [...podEntry(files, workingDir), ...command];
  return inNamespace(namespace, () =>
    spawn(program, args, { stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'], detached: true, env: environment }),
  );
}

function onTerminal(
  { namespace, files, command, workingDir, environment }: ProcessStart,
  terminal: Terminal,
): ChildProcess {
  // setsid makes the session: Node's own would not have the terminal as the one that Ctrl-C comes from.
  const args = ['--ctty', ...podEntry(files, workingDir), ...command];
  const env = { TERM: 'xterm', ...environment };
  return terminal.give((fd) => inNamespace(namespace, () => spawn('setsid', args, { stdio: [fd, fd, fd], env })));
}

async function exitOf(child: ChildProcess): Promise<number> {
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const [code, signal] = await exit.catch(() => [CANNOT_START, null] as const);
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

async function* chunksOf(stream: Readable | undefined): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream ?? []) yield chunk as Buffer;
  } catch (error) {
    if (!ENDS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Closes a stream as soon as nothing comes any more, and nothing that came waits for its reader. */
async function closeOnceQuiet(stream: Readable & { readonly bytesRead?: number }): Promise<void> {
  let seen = -1;
  while (!stream.destroyed && (stream.readableLength > 0 || stream.bytesRead !== seen)) {
    seen = stream.bytesRead ?? 0;
    await delay(QUIET_MS);
    await afterPolling(); // a late timer comes before the data that have arrived meanwhile
  }
  stream.destroy();
}
