import { fromBytes, type IpAddress } from '../net/ip.ts';
import { IP_PROTOCOL } from '../net/port.ts';
import { Conntrack, cutDenied, type TrackedFlow } from './conntrack.ts';
import type { AttachedPod, ServiceRule } from './firewall.ts';
import type { FlowRecord } from './flow-record.ts';
import { Gate } from './gate.ts';
import { NodeFirewall } from './node-firewall.ts';

/** What a data plane is started with. */
export interface DataPlaneOptions {
  /** Descriptor of the node's network namespace, before any pod is attached to it. It stays the caller's to close. */
  readonly namespace: number;
  /** Number of the packet queue in that namespace. */
  readonly queue: number;
  /** The node's own addresses, at most one of each family. */
  readonly nodeAddresses: readonly IpAddress[];
  readonly table: SharedArrayBuffer;
  readonly deny: 'drop' | 'reject';
  readonly established: 'keep' | 'strict';
  readonly onFlows: (flows: readonly FlowRecord[]) => void;
  /** Called if the gate dies. Nothing passes from then on. */
  readonly onFailure: (error: Error) => void;
}

/** What carries and judges the traffic between the pods of one node namespace. */
export class DataPlane {
  readonly #firewall: NodeFirewall;
  readonly #gate: Gate;
  readonly #conntrack: Conntrack;

  private constructor(parts: { firewall: NodeFirewall; gate: Gate; conntrack: Conntrack }) {
    this.#firewall = parts.firewall;
    this.#gate = parts.gate;
    this.#conntrack = parts.conntrack;
  }

  /** Closes the node and starts the gate, and only then lets the kernel forward. Throws LabError, TableFormatError. */
  static async start(options: DataPlaneOptions): Promise<DataPlane> {
    const conntrack = new Conntrack(options.namespace);
    // The gate's thread takes as long to load as the rules do.
    const starting = Gate.start(options);
    try {
      const [firewall, gate] = await Promise.all([NodeFirewall.close(options), starting]);
      firewall.forward(true);
      return new DataPlane({ firewall, gate, conntrack });
    } catch (error) {
      conntrack.close();
      await starting.then(
        (gate) => gate.stop(),
        () => undefined,
      );
      throw error;
    }
  }

  /**
   * Puts a table in force and cuts what it denies. No attempt that begins after this has returned
   * passes unless the table allows it. Throws TableFormatError, the old table staying in force.
   * Cost: opening the table, then cutDenied's, in this thread.
   */
  swap(table: SharedArrayBuffer): void {
    const decider = this.#gate.swap(table);
    cutDenied(this.#conntrack, decider);
  }

  /** The attached pods and outside hosts, all of them: packets from any other interface or address are dropped. Throws LabError. */
  setPods(pods: readonly AttachedPod[]): Promise<void> {
    return this.#firewall.setPods(pods);
  }

  /**
   * The Services' ports and ready endpoints, all of them. UDP flows to an endpoint that has gone
   * are forgotten, so that the next datagram finds another. Throws LabError. Cost: a process, 5-10 ms.
   */
  async setServices(services: readonly ServiceRule[]): Promise<void> {
    await this.#firewall.setServices(services);
    const addresses = new Set(services.map(({ address }) => address.text));
    const targets = new Set(
      services.flatMap(({ protocol, address, endpoints }) =>
        protocol === 'UDP' ? endpoints.map((to) => `${address.text} ${to.address.text} ${to.port}`) : [],
      ),
    );
    const isStale = ({ ipProtocol, dialled, destination, port }: TrackedFlow): boolean => {
      if (ipProtocol !== IP_PROTOCOL.UDP) return false;
      const address = fromBytes(dialled).text;
      return addresses.has(address) && !targets.has(`${address} ${fromBytes(destination).text} ${port}`);
    };
    this.#conntrack.delete(this.#conntrack.flows().filter(isStale));
  }

  /** Closes the node and ends the gate. The rules stay: they pass nothing without a gate. */
  async stop(): Promise<void> {
    this.#firewall.forward(false);
    await this.#gate.stop();
    this.#conntrack.close();
  }
}
