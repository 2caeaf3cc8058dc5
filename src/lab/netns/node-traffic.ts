import { DataPlane } from '../../dataplane/dataplane.ts';
import { NodeFirewall } from '../../dataplane/node-firewall.ts';
import { buildZone, type Zone } from '../../dns/zone.ts';
import { FlowLog } from '../../flows/flow-log.ts';
import type { Cluster } from '../../model/cluster.ts';
import { invariant } from '../../model/invariant.ts';
import { isFinished, podKey, type Pod } from '../../model/pod.ts';
import { LiveTable } from '../../table/live-table.ts';
import type { PolicyTable } from '../../table/policy-table.ts';
import type { NodeFacts } from '../control-plane/backend.ts';
import { FlowRecorder } from '../flow-recorder.ts';
import type { LabOptions } from '../lab-client.ts';
import type { OutsideHost } from './outside-hosts.ts';
import type { PodNetwork } from './pod-network.ts';
import { serviceRules } from './service-rules.ts';

/** The node that all pods of a lab are on. `namespace` is the descriptor of its network. */
export interface LabNode extends NodeFacts {
  readonly namespace: number;
}

const QUEUE = 0; // the node's namespace is the lab's alone
const FLOWS_KEPT = 10_000;

/**
 * What the node does with packets and names: the table in force, the gate, Service addresses, the
 * zone of the name server, and the log of flows. It knows nothing of how pods run.
 */
export class NodeTraffic {
  readonly log = new FlowLog(FLOWS_KEPT, () => this.#dataPlane?.flush());
  readonly #node: LabNode;
  readonly #recorder = new FlowRecorder(this.log);
  #outside: readonly OutsideHost[] = [];
  readonly #table: LiveTable;
  #version = 1;
  #zone: Zone;
  #zoneSerial = 0;
  #servicesInForce = '';
  #dataPlane: DataPlane<NodeFirewall> | undefined;

  /** @param cluster the first one; nothing passes before start() has returned. */
  constructor(node: LabNode, cluster: Cluster) {
    this.#node = node;
    this.#table = LiveTable.from(cluster);
    this.#zone = this.#buildZone(() => false);
    this.#recorder.setTable(this.#version, this.#table);
  }

  /** Closes the node and starts the gate. `onFailure` is called if the gate ends: nothing passes from then on. */
  async start(options: LabOptions, onFailure: (error: Error) => void): Promise<void> {
    const place = { namespace: this.#node.namespace, queue: QUEUE };
    const closing = NodeFirewall.closed({
      ...place,
      established: options.established,
      nodeAddresses: this.#node.addresses,
    });
    this.#dataPlane = await DataPlane.start(
      {
        ...place,
        table: this.#table.snapshot(),
        deny: options.deny,
        onFlows: (records) => {
          for (const record of records) this.#recorder.record(record);
        },
        onFailure,
      },
      closing,
    );
  }

  /** The table in force. */
  get table(): PolicyTable {
    return this.#table;
  }

  /** What the name server answers from. */
  get zone(): Zone {
    return this.#zone;
  }

  get outside(): readonly OutsideHost[] {
    return this.#outside;
  }

  /** Makes hosts outside the cluster known by name. */
  setOutside(hosts: readonly OutsideHost[]): void {
    this.#outside = hosts;
  }

  /** Puts the cluster's policies in force: no attempt that begins after this has returned passes unless they allow it. @param staged what flows are compared with. */
  enforce(cluster: Cluster, staged: Cluster | undefined): void {
    this.#table.sync(cluster);
    this.#version += 1;
    this.#recorder.setTable(this.#version, this.#table, staged);
    this.#recorder.setNames(this.#names(cluster));
    this.#plane.swap(this.#table.snapshot()); // which no later change touches while packets are judged by it
  }

  /** Lets in what comes from these networks of pods, and from hosts outside; nothing else. */
  attach(networks: readonly PodNetwork[]): Promise<void> {
    const all = [...networks, ...this.#outside.map(({ network }) => network)];
    return this.#plane.firewall.setPods(all.map(({ link, addresses }) => ({ interface: link, addresses })));
  }

  /** Tells Services and DNS which pods are ready. */
  async publish(isReady: (pod: Pod) => boolean): Promise<void> {
    this.#zone = this.#buildZone(isReady);
    const rules = serviceRules(this.#table.cluster, isReady);
    const text = JSON.stringify(rules);
    if (text === this.#servicesInForce) return; // most changes are of policies: they cost no process
    await this.#plane.setServices(rules);
    this.#servicesInForce = text;
  }

  async stop(): Promise<void> {
    await this.#dataPlane?.stop();
  }

  #buildZone(isReady: (pod: Pod) => boolean): Zone {
    this.#zoneSerial += 1;
    return buildZone({ cluster: this.#table.cluster, isReady, external: this.#outside, serial: this.#zoneSerial });
  }

  /** Who has which address, for the log. */
  #names({ pods }: Cluster): Map<string, string> {
    const own = pods.filter((pod) => !isFinished(pod) && !pod.hostNetwork);
    return new Map([
      ...this.#node.addresses.map(({ text }): [string, string] => [text, this.#node.name]),
      ...this.#outside.flatMap(({ name, addresses }) => addresses.map(({ text }): [string, string] => [text, name])),
      ...own.flatMap((pod) => pod.addresses.map(({ text }): [string, string] => [text, podKey(pod)])),
    ]);
  }

  get #plane(): DataPlane<NodeFirewall> {
    invariant(this.#dataPlane, 'the data plane is used before it is started');
    return this.#dataPlane;
  }
}
