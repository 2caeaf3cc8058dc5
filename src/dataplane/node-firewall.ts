import { writeFileSync } from 'node:fs';
import { LabError } from '../model/lab-error.ts';
import type { IpAddress } from '../net/ip.ts';
import type { Firewall } from './dataplane.ts';
import { gateRules, guardRules, serviceRules, settlingRules, type AttachedPod, type ServiceRule } from './firewall.ts';
import { RuleLoader } from './rule-loader.ts';
import { halfClosedRules } from './tcp-timeouts.ts';

/** Where the rules go. */
export interface NodeFirewallOptions {
  /** Descriptor of the node's network namespace. */
  readonly namespace: number;
  readonly queue: number;
  readonly established: 'keep' | 'strict';
  /** The node's own addresses, at most one of each family. */
  readonly nodeAddresses: readonly IpAddress[];
}

/** The node namespace's rules. Each change is one transaction of the kernel; changes take effect in the order of their calls. */
export class NodeFirewall implements Firewall {
  readonly #rules: RuleLoader;
  readonly #nodeAddresses: readonly IpAddress[];
  #last: Promise<void> = Promise.resolve();

  private constructor({ namespace, nodeAddresses }: NodeFirewallOptions) {
    this.#rules = new RuleLoader(namespace);
    this.#nodeAddresses = nodeAddresses;
  }

  /**
   * Closes the node: nothing is forwarded, and once that is enabled nothing but through the gate.
   * Throws LabError if a tool or the kernel cannot do it.
   */
  static async closed(options: NodeFirewallOptions): Promise<NodeFirewall> {
    const firewall = new NodeFirewall(options);
    const { queue, established, nodeAddresses } = options;
    const rules = firewall.#rules;
    firewall.#forward(false);
    const services = serviceRules([], { kind: 'node', addresses: nodeAddresses });
    await Promise.all([
      rules.iptables(4, gateRules({ queue, family: 4 })),
      rules.iptables(6, gateRules({ queue, family: 6 })),
      rules.nft(guardRules([]) + services + settlingRules(['forward'], established) + halfClosedRules()),
    ]);
    rules.within(() => {
      // A pod that reaches itself through its Service is no reason to tell it of a shorter way.
      setKernel('net/ipv4/conf/all/send_redirects', 0);
      setKernel('net/ipv4/conf/default/send_redirects', 0);
      // A refusal that is held back by the kernel's rate limit looks like a drop.
      setKernel('net/ipv4/icmp_ratemask', 0);
      setKernel('net/ipv6/icmp/ratemask', '\n');
    });
    return firewall;
  }

  /** Lets the kernel forward between the pods. Throws LabError. */
  open(): Promise<void> {
    this.#forward(true);
    return Promise.resolve();
  }

  /** Ends forwarding. Throws LabError. */
  close(): void {
    this.#forward(false);
  }

  /** Which interfaces may send from which addresses: all of them, in place of those before. Throws LabError. */
  setPods(pods: readonly AttachedPod[]): Promise<void> {
    return this.#apply(guardRules(pods));
  }

  setServices(services: readonly ServiceRule[]): Promise<void> {
    return this.#apply(serviceRules(services, { kind: 'node', addresses: this.#nodeAddresses }));
  }

  #forward(enabled: boolean): void {
    this.#rules.within(() => {
      setKernel('net/ipv4/ip_forward', enabled ? 1 : 0);
      setKernel('net/ipv6/conf/all/forwarding', enabled ? 1 : 0);
    });
  }

  #apply(rules: string): Promise<void> {
    const applied = this.#last.then(() => this.#rules.nft(rules));
    this.#last = applied.catch(() => undefined); // whoever asked for it hears of the failure
    return applied;
  }
}

/** Sets a value under /proc/sys for the network namespace that this thread is in. */
function setKernel(path: string, value: number | string): void {
  try {
    writeFileSync(`/proc/sys/${path}`, String(value));
  } catch (error) {
    throw new LabError('environment', `cannot set /proc/sys/${path}: is /proc mounted read-only?`, { cause: error });
  }
}
