import type { FlowEvent, PolicyRef } from '../../src/flows/flow-event.ts';
import type { Captured, StartedCommand } from '../../src/lab/exec.ts';
import {
  DEFAULT_OPTIONS,
  type ChangeReport,
  type LabClient,
  type LabOptions,
  type PodStatus,
  type ProbeResult,
} from '../../src/lab/lab-client.ts';
import type { RunHost } from '../../src/lab/trial.ts';

const NOT_ISOLATED = { verdict: 'allow', isolated: false, policies: [] } as const;
const DENY_ALL: PolicyRef = { namespace: 'default', name: 'deny-all', rule: null, file: 'deny.yaml', line: 1 };

/** A flow event; allowed unless said otherwise. `at` is in ms since the epoch. */
export function flow({ at, from, verdict = 'allow', ...rest }: FlowGiven): FlowEvent {
  return {
    time: new Date(at).toISOString(),
    from: { name: from, address: '10.244.0.5' },
    to: { name: 'default/web', address: '10.244.0.6' },
    protocol: 'TCP',
    sourcePort: 40_000,
    port: 80,
    verdict,
    egress: NOT_ISOLATED,
    ingress: verdict === 'allow' ? NOT_ISOLATED : { verdict, isolated: true, policies: [DENY_ALL] },
    ...rest,
  };
}

/** The status of a pod that runs, but for what is given. */
export function podStatus(given: Partial<PodStatus> = {}): PodStatus {
  return {
    namespace: 'default',
    name: 'web',
    owner: { kind: 'Pod', name: given.name ?? 'web' },
    labels: {},
    addresses: ['10.244.0.2'],
    phase: 'Running',
    ready: true,
    restarts: 0,
    reason: '',
    message: '',
    containers: { ready: 1, total: 1 },
    startedAt: '2026-01-01T00:00:00Z',
    ...given,
  };
}

interface FlowGiven extends Partial<Omit<FlowEvent, 'from'>> {
  readonly at: number;
  readonly from: string;
}

/** What the next command or probe does, and the flows that it causes. */
export interface Script {
  readonly command?: Partial<Captured>;
  readonly probe?: Partial<ProbeResult>;
  readonly flows?: readonly Omit<FlowGiven, 'at'>[];
}

const NO_CHANGE: ChangeReport = { results: [], issues: [], warnings: [], enforcedMs: 1 };

/**
 * A lab in memory. It keeps the calls that it gets, in order, and plays a script: each command and
 * each probe takes the next entry. Its clock goes on by a second with each of them.
 */
export class LabDouble implements RunHost {
  readonly calls: string[] = [];
  readonly events: FlowEvent[] = [];
  readonly script: Script[] = [];
  deny: LabOptions['deny'] = 'drop';
  change: ChangeReport = NO_CHANGE;
  /** The pods of the lab: each look takes the next list, the last one stays. */
  pods: (readonly PodStatus[])[] = [[]];
  /** What started commands write: each look takes the next. */
  readonly writes: string[] = [];
  #nowMs = 1_000_000;

  now(): number {
    return this.#nowMs;
  }

  execCapture(...[, command]: Parameters<RunHost['execCapture']>): Promise<Captured> {
    this.calls.push(`exec ${command.namespace}/${command.pod} ${command.command.join(' ')} ${command.timeoutMs}`);
    const next = this.#play();
    return Promise.resolve({ exit: 0, output: '', ms: 5, timedOut: false, ...next.command });
  }

  execStart(...[, command]: Parameters<RunHost['execStart']>): Promise<StartedCommand> {
    const name = `${command.namespace}/${command.pod} ${command.command.join(' ')}`;
    this.calls.push(`start ${name}`);
    return Promise.resolve({
      take: () => this.writes.shift() ?? '',
      [Symbol.dispose]: () => {
        this.calls.push(`end ${name}`);
      },
    });
  }

  pause(ms: number): Promise<unknown> {
    this.#nowMs += ms;
    return Promise.resolve();
  }

  /** The client of the lab: only what a runner needs. */
  get client(): LabClient {
    const unused = (): never => {
      throw new Error('a runner has no use for this');
    };
    const changed = (call: string): Promise<ChangeReport> => {
      this.calls.push(call);
      return Promise.resolve(this.change);
    };
    return {
      status: () =>
        Promise.resolve({
          name: 'double',
          pid: 1,
          rootless: false,
          resumed: false,
          api: { server: 'https://127.0.0.1:1', kubeconfig: '/kubeconfig' },
          startedAt: '',
          options: { ...DEFAULT_OPTIONS, deny: this.deny },
          pods: (this.pods.length > 1 ? this.pods.shift() : this.pods[0]) ?? [],
          external: [],
          policies: 0,
          staged: 0,
          warnings: [],
        }),
      stage: unused,
      apply: (files) => changed(`apply ${files.map(({ text }) => text).join(' ')}`),
      delete: (target) => changed(`delete ${'files' in target ? target.files.map(({ text }) => text).join(' ') : '?'}`),
      label: ({ kind, namespace, name, labels, overwrite }) =>
        changed(`label ${kind} ${namespace}/${name} ${JSON.stringify(labels)} ${overwrite}`),
      probe: ([request, ...more]) => {
        this.calls.push(`probe ${JSON.stringify(request)}`);
        if (more.length > 0) throw new Error('one probe at a time');
        return Promise.resolve([{ outcome: 'connected', allowed: true, ms: 1, ...this.#play().probe }]);
      },
      execTarget: ({ namespace, pod }) =>
        Promise.resolve({
          namespace,
          pod: pod.replace('deployment/', '') + (pod.includes('/') ? '-x' : ''),
          enter: [],
        }),
      flows: ({ follow }) => {
        if (follow) throw new Error('a runner asks for the flows so far');
        return fromList([...this.events]);
      },
      objects: unused,
      explain: unused,
      predict: unused,
      stop: unused,
    };
  }

  #play(): Script {
    const next = this.script.shift() ?? {};
    for (const given of next.flows ?? []) this.events.push(flow({ ...given, at: this.#nowMs }));
    this.#nowMs += 1000;
    return next;
  }
}

async function* fromList<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}
