import { closeFd } from '../../dataplane/libc.ts';
import { isFinished, podKey, type Pod } from '../../model/pod.ts';
import { createNetworks, cutNetworks, type PodNetwork } from './pod-network.ts';
import { PodRuntime, type PodSetting } from './pod-runtime.ts';

/**
 * A pod of the fleet. `network` is its own; it has none if it is on the node's or has finished.
 * `namespace` is the descriptor of the network that it is in, undefined once it has finished.
 */
export interface FleetPod {
  readonly runtime: PodRuntime;
  readonly network: PodNetwork | undefined;
  readonly namespace: number | undefined;
}

/** What all pods of a lab share. */
export type FleetSetting = Pick<PodSetting, 'folder' | 'startDns' | 'onChange'> & {
  readonly nodeNamespace: number;
  readonly nameServers: (pod: Pod) => readonly string[];
};

/** The pods of a lab: their networks and what runs in them. */
export class PodFleet {
  readonly #setting: FleetSetting;
  readonly #pods = new Map<string, FleetPod>();
  #links = 0;

  constructor(setting: FleetSetting) {
    this.#setting = setting;
  }

  get pods(): ReadonlyMap<string, FleetPod> {
    return this.#pods;
  }

  /** Networks that are joined to the node. */
  get networks(): readonly PodNetwork[] {
    return [...this.#pods.values()].flatMap(({ network }) => network ?? []);
  }

  /** Keys of pods that run and shall not, or not as they are. */
  gone(wanted: readonly Pod[]): readonly string[] {
    const shapes = new Map(wanted.filter((pod) => !isFinished(pod)).map((pod) => [podKey(pod), shapeOf(pod)]));
    return [...this.#pods].flatMap(([key, { runtime }]) => {
      const kept = isOver(runtime)
        ? wanted.some((pod) => podKey(pod) === key)
        : shapes.get(key) === shapeOf(runtime.pod);
      return kept ? [] : [key];
    });
  }

  /** Cuts pods off the network, then ends what runs in them. When this returns no packet of theirs is on its way. */
  async remove(keys: readonly string[]): Promise<void> {
    const leaving = keys.flatMap((key) => this.#pods.get(key) ?? []);
    await cutNetworks(leaving.flatMap(({ network }) => network ?? []));
    await Promise.all(leaving.map(end));
    for (const key of keys) this.#pods.delete(key);
  }

  /** Makes the networks of those wanted pods that do not run yet; nothing runs in them before start(). */
  async add(wanted: readonly Pod[]): Promise<readonly PodRuntime[]> {
    const added = wanted.filter((pod) => !isFinished(pod) && pod.addresses.length > 0 && !this.#pods.has(podKey(pod)));
    const own = added.filter((pod) => !pod.hostNetwork);
    const networks = await createNetworks(own.map(({ addresses }) => ({ link: `pod${this.#links++}`, addresses })));
    const networkOf = new Map(own.map((pod, index) => [pod, networks[index]]));
    return added.map((pod) => {
      const network = networkOf.get(pod);
      const { nodeNamespace, nameServers, ...shared } = this.#setting;
      const namespace = network?.namespace ?? nodeNamespace;
      const runtime = new PodRuntime({ ...shared, pod, namespace, nameServers: nameServers(pod) });
      this.#pods.set(podKey(pod), { runtime, network, namespace });
      return runtime;
    });
  }

  /** Takes the networks of pods that have finished. @returns whether there were any. */
  async retireFinished(): Promise<boolean> {
    const finished = [...this.#pods].filter(([, pod]) => pod.namespace !== undefined && isOver(pod.runtime));
    await cutNetworks(finished.flatMap(([, { network }]) => network ?? []));
    for (const [key, pod] of finished) {
      await end(pod);
      this.#pods.set(key, { runtime: pod.runtime, network: undefined, namespace: undefined });
    }
    return finished.length > 0;
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    await Promise.all([...this.#pods.values()].map(({ runtime }) => runtime.stop()));
  }
}

async function end({ runtime, network }: FleetPod): Promise<void> {
  await runtime.stop();
  if (network) closeFd(network.namespace);
}

function isOver(runtime: PodRuntime): boolean {
  const { phase } = runtime.status;
  return phase === 'Succeeded' || phase === 'Failed';
}

/** What of a pod cannot change while it runs. */
function shapeOf(pod: Pod): string {
  const addresses = pod.addresses.map(({ text }) => text);
  return JSON.stringify([addresses, pod.containers, pod.hostNetwork, pod.restartPolicy, pod.hostname]);
}
