import { fromBytes } from '../net/ip.ts';
import { IP_PROTOCOL } from '../net/port.ts';
import { openTable } from '../table/decider.ts';
import { Conntrack, cutDenied, type TrackedFlow } from './conntrack.ts';
import type { ServiceRule } from './firewall.ts';
import { Gate, type GateOptions } from './gate.ts';

/** The rules around a gate, in the network namespace that it serves: a node's or a pod's. */
export interface Firewall {
  /** Lets pass what the gate accepts. Throws LabError. */
  open(): Promise<void>;
  /** Lets nothing pass. Throws LabError. */
  close(): void;
  /** Service ports and their endpoints: all of them, in place of those before. Throws LabError. */
  setServices(services: readonly ServiceRule[]): Promise<void>;
}

/** What carries and judges the traffic of one network namespace. */
export class DataPlane<Rules extends Firewall> {
  readonly firewall: Rules;
  readonly #gate: Gate;
  readonly #conntrack: Conntrack;

  private constructor(parts: { firewall: Rules; gate: Gate; conntrack: Conntrack }) {
    this.firewall = parts.firewall;
    this.#gate = parts.gate;
    this.#conntrack = parts.conntrack;
  }

  /**
   * Starts the gate, cuts what its table denies and an earlier gate had accepted, and only then opens the firewall.
   * @param closing the firewall, as soon as it passes nothing but through the gate. Throws LabError, TableFormatError.
   */
  static async start<Rules extends Firewall>(options: GateOptions, closing: Promise<Rules>): Promise<DataPlane<Rules>> {
    closing.catch(() => undefined); // awaited below, unless something else fails before
    const conntrack = new Conntrack(options.namespace);
    // The gate's thread takes as long to load as the rules do.
    const starting = Gate.start(options);
    try {
      const [firewall, gate] = await Promise.all([closing, starting]);
      cutDenied(conntrack, openTable(options.table));
      await firewall.open();
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

  /**
   * The Services' ports and ready endpoints, all of them. UDP flows to an endpoint that has gone
   * are forgotten, so that the next datagram finds another. Throws LabError. Cost: a process, 5-10 ms.
   */
  async setServices(services: readonly ServiceRule[]): Promise<void> {
    await this.firewall.setServices(services);
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

  /** Hands over what was judged so far, see Gate.flush. */
  flush(): void {
    this.#gate.flush();
  }

  /** Closes the firewall and ends the gate. The rules stay: they pass nothing without a gate. */
  async stop(): Promise<void> {
    this.firewall.close();
    await this.#gate.stop();
    this.#conntrack.close();
  }
}
