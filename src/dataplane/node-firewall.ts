import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { LabError } from '../model/lab-error.ts';
import type { IpAddress } from '../net/ip.ts';
import { gateRules, guardRules, serviceRules, type AttachedPod, type ServiceRule } from './firewall.ts';
import { inNamespace } from './libc.ts';

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
export class NodeFirewall {
  readonly #options: NodeFirewallOptions;
  #last: Promise<void> = Promise.resolve();

  private constructor(options: NodeFirewallOptions) {
    this.#options = options;
  }

  /**
   * Closes the node: nothing is forwarded, and once that is enabled nothing but through the gate.
   * Throws LabError if a tool or the kernel cannot do it.
   */
  static async close(options: NodeFirewallOptions): Promise<NodeFirewall> {
    const firewall = new NodeFirewall(options);
    const { namespace, nodeAddresses } = options;
    firewall.forward(false);
    await Promise.all([
      run(namespace, ['iptables-restore', '--noflush'], gateRules({ ...options, family: 4 })),
      run(namespace, ['ip6tables-restore', '--noflush'], gateRules({ ...options, family: 6 })),
      run(namespace, ['nft', '-f', '-'], guardRules([]) + serviceRules([], nodeAddresses)),
    ]);
    inNamespace(namespace, () => {
      // Without an entry a packet from the middle of a connection is INVALID, not the start of one.
      setKernel('net/netfilter/nf_conntrack_tcp_loose', 0);
      // A pod that reaches itself through its Service is no reason to tell it of a shorter way.
      setKernel('net/ipv4/conf/all/send_redirects', 0);
      setKernel('net/ipv4/conf/default/send_redirects', 0);
      // A refusal that is held back by the kernel's rate limit looks like a drop.
      setKernel('net/ipv4/icmp_ratemask', 0);
      setKernel('net/ipv6/icmp/ratemask', '\n');
    });
    return firewall;
  }

  /** Switches forwarding between the pods on or off. Throws LabError. */
  forward(enabled: boolean): void {
    inNamespace(this.#options.namespace, () => {
      setKernel('net/ipv4/ip_forward', enabled ? 1 : 0);
      setKernel('net/ipv6/conf/all/forwarding', enabled ? 1 : 0);
    });
  }

  /** Which interfaces may send from which addresses: all of them, in place of those before. Throws LabError. */
  setPods(pods: readonly AttachedPod[]): Promise<void> {
    return this.#apply(guardRules(pods));
  }

  /** Service ports and their endpoints: all of them, in place of those before. Throws LabError. */
  setServices(services: readonly ServiceRule[]): Promise<void> {
    return this.#apply(serviceRules(services, this.#options.nodeAddresses));
  }

  #apply(rules: string): Promise<void> {
    const applied = this.#last.then(() => run(this.#options.namespace, ['nft', '-f', '-'], rules));
    this.#last = applied.catch(() => undefined); // whoever asked for it hears of the failure
    return applied;
  }
}

/** Runs a tool inside the namespace with this input. */
async function run(namespace: number, [tool, ...args]: readonly [string, ...string[]], input: string): Promise<void> {
  const child = inNamespace(namespace, () => spawn(tool, args, { stdio: ['pipe', 'ignore', 'pipe'] }));
  const [failure, complaint] = await Promise.all([outcome(child), text(child.stderr), feed(child, input)]);
  if (failure === undefined) return;
  const { message, cause } = failure;
  throw new LabError('environment', `${tool} ${message}${complaint === '' ? '' : `: ${complaint.trim()}`}${HINT}`, {
    cause,
  });
}

const HINT =
  '\nThe gate needs the packages iptables and nftables, and a kernel with NFQUEUE, connmark, conntrack and nft NAT ' +
  '(modprobe xt_NFQUEUE xt_connmark nf_conntrack_netlink nft_nat nft_numgen nft_reject_inet).';

/** How the child ended. @returns undefined if well. */
async function outcome(child: ChildProcess): Promise<{ message: string; cause: unknown } | undefined> {
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return code === 0 ? undefined : { message: `failed (${signal ?? `exit code ${code}`})`, cause: undefined };
  } catch (error) {
    return { message: 'cannot be started', cause: error };
  }
}

/** Writes the input. A child that ends early says why by its exit code. */
async function feed(child: ChildProcess, input: string): Promise<void> {
  const { stdin } = child;
  if (!stdin) return;
  await new Promise<void>((resolve) => {
    stdin.on('error', () => {
      resolve();
    });
    stdin.end(input, resolve);
  });
}

/** Sets a value under /proc/sys for the network namespace that this thread is in. */
function setKernel(path: string, value: number | string): void {
  try {
    writeFileSync(`/proc/sys/${path}`, String(value));
  } catch (error) {
    throw new LabError('environment', `cannot set /proc/sys/${path}: is /proc mounted read-only?`, { cause: error });
  }
}
