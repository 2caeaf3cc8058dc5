import type { Socket } from 'node:net';
import type {
  ContainerReference,
  LogRecord,
  LogSelection,
  PodAccess,
  PodCommand,
  PodProcess,
  PodReference,
} from '../../apiserver/streams/pod-access.ts';
import { badRequest } from '../../apiserver/status.ts';
import { podKey } from '../../model/pod.ts';
import { connectInside } from './dialler.ts';
import type { PodFleet } from './pod-fleet.ts';
import type { PodRuntime } from './pod-runtime.ts';

/** The pods of a lab, for the clients of its API. */
export class FleetAccess implements PodAccess {
  readonly #fleet: PodFleet;

  constructor(fleet: PodFleet) {
    this.#fleet = fleet;
  }

  requireRunning(target: ContainerReference): void {
    this.#running(target);
  }

  exec(target: ContainerReference, command: PodCommand): PodProcess {
    return this.#running(target).exec(target.container, command);
  }

  attach(target: ContainerReference): PodProcess {
    return this.#running(target).attach(target.container);
  }

  podEnd(target: PodReference): AbortSignal {
    return this.#pod(target).runtime.ended;
  }

  connect(target: PodReference, port: number): Promise<Socket> {
    return connectInside(this.#pod(target).namespace, port);
  }

  log({ namespace, pod, container }: ContainerReference, selection: LogSelection): AsyncIterable<readonly LogRecord[]> {
    const log = this.#fleet.pods.get(podKey({ namespace, name: pod }))?.runtime.log(container, selection.previous);
    if (log) return log.read(selection);
    const said = selection.previous
      ? `previous terminated container "${container}" in pod "${pod}" not found`
      : `container "${container}" in pod "${pod}" is waiting to start`;
    throw badRequest(said);
  }

  /** The pod whose container it is. Throws a 400 if the container does not run. */
  #running({ namespace, pod, container }: ContainerReference): PodRuntime {
    const { runtime } = this.#pod({ namespace, pod });
    if (runtime.isRunning(container)) return runtime;
    throw badRequest(`container ${container} of pod ${namespace}/${pod} does not run`);
  }

  /** A pod that has not finished, and the network that it is in. Throws a 400 if there is none. */
  #pod({ namespace, pod }: PodReference): { readonly runtime: PodRuntime; readonly namespace: number } {
    const found = this.#fleet.pods.get(podKey({ namespace, name: pod }));
    if (found?.namespace !== undefined) return { runtime: found.runtime, namespace: found.namespace };
    throw badRequest(`pod ${namespace}/${pod} does not run${found ? ` (${found.runtime.status.phase})` : ''}`);
  }
}
