import { setTimeout as delay } from 'node:timers/promises';
import type { ApiStore } from '../../apiserver/api-store.ts';
import type { FlowLog } from '../../flows/flow-log.ts';
import { invariant } from '../../model/invariant.ts';
import { parseIp, type IpAddress } from '../../net/ip.ts';
import type { PolicyTable } from '../../table/policy-table.ts';
import type { Backend, ClusterUpdate, PodReport } from '../control-plane/backend.ts';
import { nameServersOf } from '../control-plane/cluster-dns.ts';
import { ControlPlane } from '../control-plane/control-plane.ts';
import { EgressAdmission } from '../control-plane/egress-admission.ts';
import type { LabSpec } from '../lab-client.ts';
import { startClusterDns } from './cluster-dns.ts';
import { NodeTraffic } from './node-traffic.ts';
import { startOutsideHosts, type OutsideHost } from './outside-hosts.ts';
import { PodFleet } from './pod-fleet.ts';
import { openNodeNamespace, prepareNode } from './pod-network.ts';

const NODE = {
  name: 'node',
  addresses: ['172.18.0.2', 'fd00:172:18::2'].map(addressOf), // as the first node of a kind cluster
};
const STARTING_MS = 100; // built-in servers listen within a few
const READY_DEADLINE_MS = 30_000; // a pod that is not ready by then is reported as it is

/** What a lab needs to start. `onFailure` is called if its gate ends: nothing passes from then on. */
export interface LabPlace {
  readonly folder: string;
  readonly store: ApiStore;
  readonly onFailure: (error: Error) => void;
  readonly onProgress: (text: string) => void;
}

/**
 * A lab in network namespaces: this process's own is the node's. Its control plane puts one change in force after
 * another, each in an order in which nothing is open that the policies deny: pods that go are cut off first,
 * then the new table is in force, then new pods are joined to the node.
 */
export class RunningLab implements Backend {
  readonly spec: LabSpec;
  readonly plane: ControlPlane;
  readonly admission: EgressAdmission;
  readonly #fleet: PodFleet;
  readonly #traffic: NodeTraffic;
  #prepared: Promise<unknown> = Promise.resolve();

  private constructor(spec: LabSpec, { folder, store }: LabPlace) {
    this.spec = spec;
    this.plane = new ControlPlane({
      name: spec.name,
      store,
      backend: this,
      node: NODE,
      givesPodAddresses: true,
      cni: spec.options.cni,
      onError: (error) => {
        console.error(error);
      },
    });
    const namespace = openNodeNamespace();
    this.#traffic = new NodeTraffic({ ...NODE, namespace }, this.plane.cluster);
    this.admission = new EgressAdmission({
      spec,
      table: () => this.table,
      isReady: (pod) => this.plane.isReady(pod),
      log: this.log,
    });
    this.#fleet = new PodFleet({
      folder,
      nodeNamespace: namespace,
      nameServers: (pod) => nameServersOf(pod, this.plane.cluster),
      startDns: (pod, namespaceOfPod) => startClusterDns(pod, namespaceOfPod, () => this.#traffic.zone),
      onChange: (key) => {
        this.plane.podChanged(key);
      },
    });
  }

  /** Starts a lab and waits for its pods. @throws LabError usage if its manifests are refused. */
  static async start(spec: LabSpec, place: LabPlace): Promise<RunningLab> {
    const lab = new RunningLab(spec, place);
    lab.#prepared = lab.#prepare(place); // while the manifests are read
    lab.#prepared.catch(() => undefined); // what is wrong with the manifests is said first
    lab.plane.recordDenials(lab.log, spec.options.deny);
    await lab.plane.start(spec.files);
    place.onProgress(`${lab.#fleet.pods.size} pods are starting`);
    await lab.#podsReady();
    return lab;
  }

  get log(): FlowLog {
    return this.#traffic.log;
  }

  /** The table in force. */
  get table(): PolicyTable {
    return this.#traffic.table;
  }

  get fleet(): PodFleet {
    return this.#fleet;
  }

  get outside(): readonly OutsideHost[] {
    return this.#traffic.outside;
  }

  /** Warnings of the manifests and of what runs in the pods. */
  get warnings(): readonly string[] {
    return [...this.plane.warnings, ...[...this.#fleet.pods.values()].flatMap(({ runtime }) => runtime.warnings)];
  }

  async enforce({ cluster, staged, ended, finished, begun, judged, served, isReady }: ClusterUpdate): Promise<void> {
    await this.#prepared;
    await this.#fleet.remove(ended);
    await this.#fleet.retire(finished);
    if (judged) this.#traffic.enforce(cluster, staged);
    if (judged) this.admission.recheck();
    const added = await this.#fleet.add(begun);
    if (added.length > 0 || ended.length > 0 || finished.length > 0) {
      await this.#traffic.attach(this.#fleet.networks);
    }
    // What is ready at once is published at once.
    await Promise.race([Promise.all(added.map((runtime) => runtime.start())), delay(STARTING_MS)]);
    if (served) await this.#traffic.publish(isReady);
  }

  reportOf(podKey: string): PodReport | undefined {
    return this.#fleet.pods.get(podKey)?.runtime.status;
  }

  /** Ends what runs in the pods, and the gate. Namespaces go with the process. */
  async stop(): Promise<void> {
    await this.#fleet.stop();
    await this.#traffic.stop();
  }

  async #prepare({ onFailure, onProgress }: LabPlace): Promise<void> {
    await Promise.all([prepareNode(NODE.addresses), this.#traffic.start(this.spec.options, onFailure)]);
    onProgress('the gate is closed and judges');
    this.#traffic.setOutside(await startOutsideHosts(this.spec.external));
  }

  async #podsReady(): Promise<void> {
    const deadline = performance.now() + READY_DEADLINE_MS;
    const starting = ({ ready, message, phase }: PodReport): boolean =>
      !ready && message === '' && (phase === 'Pending' || phase === 'Running');
    while (performance.now() < deadline) {
      await this.plane.reportsStored();
      if (![...this.#fleet.pods.values()].some(({ runtime }) => starting(runtime.status))) break;
      await delay(2);
    }
    await this.plane.reportsStored();
  }
}

function addressOf(text: string): IpAddress {
  const address = parseIp(text);
  invariant(address, `${text} is an address`);
  return address;
}
