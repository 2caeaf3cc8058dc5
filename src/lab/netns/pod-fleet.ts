import { closeFd } from '../../dataplane/libc.ts';
import { podKey, type Pod } from '../../model/pod.ts';
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
export type FleetSetting = Pick<PodSetting, 'folder' | 'startDns'> & {
  readonly nodeNamespace: number;
  readonly nameServers: (pod: Pod) => readonly string[];
  /** Called with a pod's key after every change of its phase or readiness. */
  readonly onChange: (key: string) => void;
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

  /** Cuts pods off the network, then ends what runs in them. When this returns no packet of theirs is on its way. */
  async remove(keys: readonly string[]): Promise<void> {
    const leaving = keys.flatMap((key) => this.#pods.get(key) ?? []);
    await cutNetworks(leaving.flatMap(({ network }) => network ?? []));
    await Promise.all(leaving.map(end));
    for (const { runtime } of leaving) runtime.discard();
    for (const key of keys) this.#pods.delete(key);
  }

  /** Makes the networks of pods that do not run yet; nothing runs in them before start(). Pods without an address wait. */
  async add(begun: readonly Pod[]): Promise<readonly PodRuntime[]> {
    const added = begun.filter((pod) => pod.addresses.length > 0);
    const own = added.filter((pod) => !pod.hostNetwork);
    const networks = await createNetworks(own.map(({ addresses }) => ({ link: `pod${this.#links++}`, addresses })));
    const networkOf = new Map(own.map((pod, index) => [pod, networks[index]]));
    return added.map((pod) => {
      const network = networkOf.get(pod);
      const { nodeNamespace, nameServers, folder, startDns } = this.#setting;
      const namespace = network?.namespace ?? nodeNamespace;
      const onChange = (): void => {
        this.#setting.onChange(podKey(pod));
      };
      const runtime = new PodRuntime({ folder, startDns, onChange, pod, namespace, nameServers: nameServers(pod) });
      this.#pods.set(podKey(pod), { runtime, network, namespace });
      return runtime;
    });
  }

  /** Takes the networks of pods that have finished; what they were stays known. */
  async retire(keys: readonly string[]): Promise<void> {
    const finished = keys.flatMap((key) => this.#pods.get(key) ?? []);
    await cutNetworks(finished.flatMap(({ network }) => network ?? []));
    for (const pod of finished) {
      await end(pod);
      this.#pods.set(podKey(pod.runtime.pod), { runtime: pod.runtime, network: undefined, namespace: undefined });
    }
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
