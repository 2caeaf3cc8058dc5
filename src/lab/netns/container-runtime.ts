import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Container, Pod } from '../../model/pod.ts';
import { BuiltinServer, type Identity, type ServerPlace } from './builtin-server.ts';
import { endCommand } from './pod-command.ts';
import type { WorkloadKind } from './workload-kind.ts';

/** How a container stands. `done` has ended for good. */
export type ContainerState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'restarting'; readonly message: string }
  | { readonly kind: 'done'; readonly exitCode: number };

/** What a container needs to run. */
export interface ContainerSetting {
  readonly container: Container;
  readonly workload: WorkloadKind;
  readonly restartPolicy: Pod['restartPolicy'];
  readonly namespace: number;
  readonly families: ServerPlace['families'];
  readonly identity: Identity;
  readonly startCommand: (command: readonly string[]) => ChildProcess;
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
  #child: ChildProcess | undefined;
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
    switch (workload.kind) {
      case 'command':
        this.#supervision = this.#supervise(workload.command);
        return;
      case 'servers':
        this.#servers = await Promise.all(
          this.#places(workload.ports).map((place) => BuiltinServer.listen(place, this.#setting.identity)),
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

  /** Resolves when a command that ends for good has ended, or the container is stopped. */
  finished(): Promise<void> {
    return this.#supervision;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#child) await endCommand(this.#child);
    await this.#supervision;
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
  }

  #places(ports: readonly { readonly protocol: string; readonly port: number }[]): ServerPlace[] {
    const { namespace, families } = this.#setting;
    return ports.flatMap(({ protocol, port }) =>
      // The kernel of many machines has no SCTP sockets; such a port is for the table alone.
      protocol === 'TCP' || protocol === 'UDP' ? [{ namespace, families, protocol, port }] : [],
    );
  }

  async #supervise(command: readonly string[]): Promise<void> {
    const { signal } = this.#stopping;
    let waitMs = FIRST_RESTART_MS;
    for (;;) {
      const exitCode = await this.#runOnce(command);
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

  async #runOnce(command: readonly string[]): Promise<number> {
    const child = this.#setting.startCommand(command);
    this.#child = child;
    const closed = once(child, 'close') as Promise<[number | null]>;
    if (await Promise.race([closed.then(() => false), delay(SETTLED_MS, true)])) this.#enter({ kind: 'running' });
    const [code] = await closed;
    return code ?? 137; // as Kubernetes reports a container that a signal ended
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
