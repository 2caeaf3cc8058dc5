import { setTimeout as delay } from 'node:timers/promises';
import type { PodProcess } from '../../apiserver/streams/pod-access.ts';
import { invariant } from '../../model/invariant.ts';
import type { Container, Pod } from '../../model/pod.ts';
import { BuiltinServer, type Identity, type ServerPlace } from './builtin-server.ts';
import type { CommandProcess } from './command-process.ts';
import { ContainerLog, type OutputName } from './container-log.ts';
import { attachedTo } from './attached-process.ts';
import { ContainerOutput } from './container-output.ts';
import type { WorkloadKind } from './workload-kind.ts';

/** How a container stands. `done` has ended for good. */
export type ContainerState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'restarting'; readonly message: string }
  | { readonly kind: 'done'; readonly exitCode: number };

/** What runs in a container, as it is started. */
export type StartableWorkload = Exclude<WorkloadKind, { kind: 'gateway' }>;

/** What a container needs to run. */
export interface ContainerSetting {
  readonly container: Container;
  readonly workload: StartableWorkload;
  readonly restartPolicy: Pod['restartPolicy'];
  readonly namespace: number;
  readonly families: ServerPlace['families'];
  readonly identity: Identity;
  /** Starts its command, with input and a terminal as the container asks for them. */
  readonly startCommand: (command: readonly string[]) => CommandProcess;
  /** Where the log of a run goes, the first being 0. */
  readonly logPath: (run: number) => string;
  readonly startDns: () => Promise<AsyncDisposable>;
  readonly onChange: () => void;
}

// A command that ends sooner never counts as running, or a pod that only crashes would be ready for a moment.
const SETTLED_MS = 150;
// Kubernetes waits 10 s to 5 min between restarts; a lab's user should not have to.
const FIRST_RESTART_MS = 250;
const LAST_RESTART_MS = 10_000;

/** A container of a pod: starts it, restarts it as its pod's policy says, ends it. */
export class ContainerRuntime {
  readonly container: Container;
  readonly #setting: ContainerSetting;
  readonly #stopping = new AbortController();
  #state: ContainerState = { kind: 'waiting' };
  #restarts = 0;
  #servers: readonly AsyncDisposable[] = [];
  #process: CommandProcess | undefined;
  /** Of the last run, and of the one before. */
  #outputs: readonly ContainerOutput[] = [];
  #runs = 0;
  #supervision: Promise<void> = Promise.resolve();

  constructor(setting: ContainerSetting) {
    this.container = setting.container;
    this.#setting = setting;
  }

  get state(): ContainerState {
    return this.#state;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Starts it; a command goes on in the background. Resolves when servers listen. */
  async start(): Promise<void> {
    const { workload } = this.#setting;
    const output = this.#beginRun();
    const tell = (line: string): void => void output.write('stdout', Buffer.from(`${line}\n`));
    switch (workload.kind) {
      case 'command':
        this.#supervision = this.#supervise(workload.command, output);
        return;
      case 'servers':
        this.#servers = await Promise.all(
          this.#places(workload.ports).map((place) => BuiltinServer.listen(place, this.#setting.identity, tell)),
        );
        break;
      case 'dns':
        this.#servers = [await this.#setting.startDns()];
        break;
      case 'idle':
        break;
    }
    this.#enter({ kind: 'running' });
  }

  /** What a client sees of it while it runs. */
  attach(): PodProcess {
    const [output] = this.#outputs;
    invariant(output, `container ${this.container.name} has run`);
    return attachedTo(output, this.#process, this.container);
  }

  /** The log of its last run, or of the one before. @returns undefined if there was none. */
  log(previous: boolean): ContainerLog | undefined {
    return this.#outputs[previous ? 1 : 0]?.log;
  }

  /** Resolves when a command that ends for good has ended, or the container is stopped. */
  finished(): Promise<void> {
    return this.#supervision;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#process?.end();
    await this.#supervision;
    this.#outputs[0]?.end();
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
  }

  #places(ports: readonly { readonly protocol: string; readonly port: number }[]): ServerPlace[] {
    const { namespace, families } = this.#setting;
    return ports.flatMap(({ protocol, port }) =>
      // The kernel of many machines has no SCTP sockets; such a port is for the table alone.
      protocol === 'TCP' || protocol === 'UDP' ? [{ namespace, families, protocol, port }] : [],
    );
  }

  async #supervise(command: readonly string[], first: ContainerOutput): Promise<void> {
    const { signal } = this.#stopping;
    let waitMs = FIRST_RESTART_MS;
    for (let output = first; ; output = this.#beginRun()) {
      const exitCode = await this.#runOnce(command, output);
      if (signal.aborted) return;
      if (!this.#restartsAfter(exitCode)) {
        this.#enter({ kind: 'done', exitCode });
        return;
      }
      this.#restarts += 1;
      this.#enter({ kind: 'restarting', message: `container ${this.container.name} ended with exit code ${exitCode}` });
      const waited = await delay(waitMs, true, { signal }).catch(() => false);
      if (!waited) return;
      waitMs = Math.min(waitMs * 2, LAST_RESTART_MS);
    }
  }

  async #runOnce(command: readonly string[], output: ContainerOutput): Promise<number> {
    const process = this.#setting.startCommand(command);
    this.#process = process;
    const written = Promise.all([
      writeAll(process.output, output, 'stdout'),
      process.errors && writeAll(process.errors, output, 'stderr'),
    ]);
    const settled = await Promise.race([process.exitCode.then(() => false), delay(SETTLED_MS, true)]);
    if (settled) this.#enter({ kind: 'running' });
    const exitCode = await process.exitCode;
    this.#process = undefined;
    await process.end(); // what it has left running goes with it, as with the first process of a container
    await written;
    output.end();
    return exitCode;
  }

  /** Makes room for the outputs of another run; those of the last are kept, those before go. */
  #beginRun(): ContainerOutput {
    const log = new ContainerLog(this.#setting.logPath(this.#runs++));
    const output = new ContainerOutput(log, { keepEarly: this.container.stdin });
    const [last, ...others] = this.#outputs;
    for (const { log: old } of others) old.remove();
    this.#outputs = last ? [output, last] : [output];
    return output;
  }

  #restartsAfter(exitCode: number): boolean {
    if (this.container.role === 'sidecar') return true;
    if (this.container.role === 'init') return exitCode !== 0 && this.#setting.restartPolicy !== 'Never';
    switch (this.#setting.restartPolicy) {
      case 'Always':
        return true;
      case 'OnFailure':
        return exitCode !== 0;
      case 'Never':
        return false;
    }
  }

  #enter(state: ContainerState): void {
    this.#state = state;
    this.#setting.onChange();
  }
}

async function writeAll(bytes: AsyncIterable<Uint8Array>, output: ContainerOutput, name: OutputName): Promise<void> {
  for await (const chunk of bytes) await output.write(name, chunk);
}
