import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { answersProbe } from '../lab/netns/readiness.ts';
import type { Container, Pod } from '../model/pod.ts';
import type { IpAddress } from '../net/ip.ts';
import type { Protocol } from '../net/port.ts';
import { containerRuns, type ContainerRun } from './container-runs.ts';

/** Whether each container but the init containers is ready, and how its command goes. */
export type Readiness = readonly { readonly name: string; readonly ready: boolean; readonly run: ContainerRun }[];

const FIRST_PAUSE_MS = 20; // a server that has just started is ready soon
const STARTING_PERIOD_MS = 100; // while a container has not started, which it does soon
const PERIOD_MS = 1_000;
// A container may declare ports that it does not serve; so long it is waited for.
const PATIENCE_MS = 10_000;
const LISTEN = '0A'; // linux/net/tcp_states.h

/** What to watch: the pod as it is now, at this address. */
export interface PodWatch {
  readonly address: IpAddress;
  readonly pod: () => Pod | undefined;
  /** Names of the containers whose commands workload.sh runs. */
  readonly shown: readonly string[];
  /** Gets every change. */
  readonly onChange: (readiness: Readiness) => void;
}

/**
 * Watches whether the containers beside the proxy are ready: by their probes, made in the pod itself, or else by their
 * declared ports, as the containers themselves cannot be seen but by what workload.sh shows of their commands. A probe
 * by exec cannot be made; it counts as none.
 */
export class PodReadiness {
  readonly #address: IpAddress;
  readonly #runs: Map<string, ContainerRun>;
  readonly #onChange: (readiness: Readiness) => void;
  readonly #stopping = new AbortController();
  readonly #startedMs = performance.now();
  #readiness: Readiness = [];

  private constructor({ address, shown, onChange }: PodWatch) {
    this.#address = address;
    this.#runs = new Map(shown.map((container) => [container, { kind: 'waiting', restarts: 0 }]));
    this.#onChange = onChange;
  }

  /** Watches until stop(). */
  static watch(options: PodWatch): PodReadiness {
    const watch = new PodReadiness(options);
    void watch.#run(options.pod);
    return watch;
  }

  get current(): Readiness {
    return this.#readiness;
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #run(pod: () => Pod | undefined): Promise<void> {
    const { signal } = this.#stopping;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      if (this.#runs.size > 0) for (const [name, run] of containerRuns()) this.#runs.set(name, run);
      const containers = (pod()?.containers ?? []).filter(({ role }) => role !== 'init');
      const readiness = await Promise.all(containers.map((each) => this.#check(each)));
      if (JSON.stringify(readiness) !== JSON.stringify(this.#readiness)) {
        this.#readiness = readiness;
        this.#onChange(readiness);
      }
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      const isStarting = readiness.some(({ run }) => run.kind === 'waiting');
      pauseMs = Math.min(isStarting ? STARTING_PERIOD_MS : PERIOD_MS, pauseMs * 2);
    }
  }

  async #check(container: Container): Promise<Readiness[number]> {
    const { name } = container;
    const run = this.#runs.get(name) ?? { kind: 'running', restarts: 0 };
    return { name, ready: run.kind === 'running' && (await this.#isReady(container)), run };
  }

  #isReady(container: Container): Promise<boolean> {
    const probe = container.readiness;
    switch (probe.kind) {
      case 'tcp':
      case 'http':
        return answersProbe(container, probe, this.#address);
      case 'none':
      case 'exec':
        return Promise.resolve(this.#served(container));
    }
  }

  #served({ ports }: Container): boolean {
    if (ports.length === 0 || performance.now() - this.#startedMs > PATIENCE_MS) return true;
    // For its list of TCP the kernel walks through the connections of the whole machine: not without need.
    const bound = new Map([...new Set(ports.map(({ protocol }) => protocol))].map((each) => [each, boundPorts(each)]));
    return ports.every(({ protocol, port }) => bound.get(protocol)?.has(port) ?? true);
  }
}

/** Local ports that this network namespace serves, of both families; undefined for a protocol that it cannot tell of. */
function boundPorts(protocol: Protocol): Set<number> | undefined {
  if (protocol === 'SCTP') return undefined;
  const name = protocol.toLowerCase();
  const lines = [name, `${name}6`].flatMap((each) =>
    readFileSync(`/proc/self/net/${each}`, 'utf8').split('\n').slice(1),
  );
  return new Set(
    lines.flatMap((line) => {
      const [, local = '', , status] = line.trim().split(/\s+/);
      if (protocol === 'TCP' && status !== LISTEN) return [];
      return [parseInt(local.slice(local.indexOf(':') + 1), 16)];
    }),
  );
}
