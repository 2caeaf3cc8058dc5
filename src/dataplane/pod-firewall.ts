import type { IpAddress } from '../net/ip.ts';
import type { Firewall } from './dataplane.ts';
import { serviceRules, settlingRules, type ServiceRule } from './firewall.ts';
import { POD_CHAIN, podGateRules, podGuardRules } from './pod-rules.ts';
import { RELAYED_RETURN } from './relay/relay-rules.ts';
import { RuleLoader } from './rule-loader.ts';
import { halfClosedRules } from './tcp-timeouts.ts';

/** Where the rules go. */
export interface PodFirewallOptions {
  /** Descriptor of the pod's network namespace; this thread's if not given. */
  readonly namespace?: number;
  readonly queue: number;
}

/**
 * The rules inside one pod's network namespace. Rules of others there, such as Docker's, are left alone. They stay when
 * this process ends, and then pass nothing new.
 */
export class PodFirewall implements Firewall {
  readonly #rules: RuleLoader;
  readonly #options: PodFirewallOptions;
  #addresses: readonly IpAddress[] = [];
  #last: Promise<void> = Promise.resolve();

  private constructor(options: PodFirewallOptions) {
    this.#rules = new RuleLoader(options.namespace);
    this.#options = options;
  }

  /**
   * Closes the pod: when this returns nothing passes but its loopback, whatever an earlier process has left there.
   * Throws LabError if nft or the kernel cannot do it. Cost: a process, 5-10 ms.
   */
  static closed(options: PodFirewallOptions): PodFirewall {
    const firewall = new PodFirewall(options);
    firewall.close();
    return firewall;
  }

  /** Lays the way to the gate, for connections that are kept or cut when policies change. Throws LabError. */
  async prepare(established: 'keep' | 'strict'): Promise<void> {
    const { queue } = this.#options;
    const toGate = async (family: 4 | 6): Promise<void> => {
      const joined = await this.#rules.hasRule(family, ['OUTPUT', '-j', POD_CHAIN]);
      await this.#rules.iptables(family, podGateRules({ queue, family }, joined));
    };
    const behind =
      settlingRules(['input', 'output'], established, [RELAYED_RETURN]) +
      serviceRules([], { kind: 'pod' }) +
      halfClosedRules();
    await Promise.all([toGate(4), toGate(6), this.#rules.nft(behind)]);
  }

  /** The addresses that the pod may use, once it is open. */
  setAddresses(addresses: readonly IpAddress[]): void {
    this.#addresses = addresses;
  }

  /** Lets what the gate accepts pass. Throws LabError. */
  open(): Promise<void> {
    return this.#apply(podGuardRules(this.#addresses));
  }

  /** Lets nothing pass but the loopback. Throws LabError. */
  close(): void {
    this.#rules.nftAtOnce(podGuardRules([]));
  }

  setServices(services: readonly ServiceRule[]): Promise<void> {
    return this.#apply(serviceRules(services, { kind: 'pod' }));
  }

  #apply(rules: string): Promise<void> {
    const applied = this.#last.then(() => this.#rules.nft(rules));
    this.#last = applied.catch(() => undefined); // whoever asked for it hears of the failure
    return applied;
  }
}
