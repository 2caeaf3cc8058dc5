import { ApiStore } from '../../apiserver/api-store.ts';
import { AddressPool } from '../../manifest/address-pool.ts';
import type { Cluster } from '../../model/cluster.ts';
import { LabError } from '../../model/lab-error.ts';
import { isFinished, podKey, type Pod } from '../../model/pod.ts';
import type { IpAddress } from '../../net/ip.ts';
import { contains, parsePrefix } from '../../net/prefix.ts';
import { ControlPlane } from '../control-plane/control-plane.ts';
import type { ExternalHost, LabSpec } from '../lab-client.ts';

/** A host outside the cluster, with its address on the pods' network, by which nobody knows it. */
export interface PlannedHost extends ExternalHost {
  readonly bridge: readonly IpAddress[];
}

/** What a lab's containers are: its pods with their addresses, and its hosts. */
export interface ComposePlan {
  readonly spec: LabSpec;
  readonly cluster: Cluster;
  readonly pods: readonly Pod[];
  readonly hosts: readonly PlannedHost[];
  readonly warnings: readonly string[];
}

/**
 * Plans the containers of a lab: those pods, with those names and addresses, that its control plane will have.
 * @throws LabError usage for manifests with issues, and for pods that cannot be on the lab's network.
 */
export async function planContainers(spec: LabSpec, podNetworks: readonly string[]): Promise<ComposePlan> {
  const plane = new ControlPlane({
    name: spec.name,
    store: await ApiStore.open(),
    backend: { enforce: () => Promise.resolve(), reportOf: () => undefined },
    node: { name: 'node', addresses: [] },
    givesPodAddresses: true,
    podNetworks,
    cni: spec.options.cni,
    onError: (error) => {
      throw error;
    },
  });
  await plane.start(spec.files);
  const { cluster } = plane;
  const running = cluster.pods.filter((pod) => !isFinished(pod));
  const pods = running.filter(({ hostNetwork }) => !hostNetwork);
  for (const pod of pods) refuseForeign(pod, podNetworks);
  const left = running.filter(({ hostNetwork }) => hostNetwork);
  return {
    spec,
    cluster,
    pods,
    hosts: plannedHosts(spec, pods, podNetworks),
    warnings: [
      ...plane.warnings,
      ...left.map((pod) => `${podKey(pod)}: pods on the host's network have no container: it is not started`),
    ],
  };
}

function plannedHosts({ external }: LabSpec, pods: readonly Pod[], podNetworks: readonly string[]): PlannedHost[] {
  const pool = new AddressPool(podNetworks);
  for (const pod of pods) pool.reservePod(podKey(pod), pod.addresses);
  return external.map((host) => ({ ...host, bridge: pool.podAddresses(`outside/${host.name}`) }));
}

function refuseForeign(pod: Pod, podNetworks: readonly string[]): void {
  const networks = podNetworks.flatMap((text) => parsePrefix(text) ?? []);
  const foreign = pod.addresses.find((address) => !networks.some((network) => contains(network, address)));
  if (foreign === undefined && pod.addresses.length > 0) return;
  const which = foreign === undefined ? 'there is no address left for it' : `its address is ${foreign.text}`;
  throw new LabError(
    'usage',
    `${podKey(pod)}: ${which}: pods in containers have addresses of ${podNetworks.join(' and ')} here; remove its status`,
  );
}
