import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { invariant } from '../model/invariant.ts';
import { LabError } from '../model/lab-error.ts';
import { parseIp, type IpAddress } from '../net/ip.ts';
import { closeFd, inNamespace, newNetworkNamespace, SystemCallError } from '../dataplane/libc.ts';

/** A pod of the bench: a network namespace with one address. */
export interface BenchPod {
  readonly namespace: number;
  readonly address: IpAddress;
}

/** Pods on a bridge in network namespaces of their own; all vanish with their descriptors. Nothing of the host's is touched. */
export class BenchNetwork implements Disposable {
  readonly #bridge: number;
  readonly #pods: BenchPod[] = [];

  private constructor(bridge: number) {
    this.#bridge = bridge;
  }

  /** Throws LabError if this user may not make namespaces. */
  static create(): BenchNetwork {
    const network = new BenchNetwork(madeNamespace());
    run(network.#bridge, ['link set lo up', 'link add br0 type bridge', 'link set br0 up']);
    return network;
  }

  /** Adds a pod. */
  attach(): BenchPod {
    const number = this.#pods.length + 2;
    const address = parseIp(`10.244.0.${number}`);
    invariant(address, 'an address of the bench');
    const namespace = madeNamespace();
    const pod = { namespace, address };
    this.#pods.push(pod);
    const there = `/proc/${process.pid}/fd/${namespace}`;
    run(this.#bridge, [
      `link add pod${number} type veth peer name eth0 netns ${there}`,
      `link set pod${number} master br0 up`,
    ]);
    // A client that closes first is not to run out of ports, which would count against its way.
    inNamespace(namespace, () => {
      writeFileSync('/proc/sys/net/ipv4/tcp_tw_reuse', '1');
    });
    run(namespace, ['link set lo up', 'link set eth0 up', `addr add ${address.text}/16 dev eth0`]);
    return pod;
  }

  [Symbol.dispose](): void {
    for (const { namespace } of this.#pods) closeFd(namespace);
    closeFd(this.#bridge);
  }
}

function run(namespace: number, lines: readonly string[]): void {
  const input = lines.map((line) => `${line}\n`).join('');
  inNamespace(namespace, () => execFileSync('ip', ['-batch', '-'], { input, stdio: 'pipe' }));
}

function madeNamespace(): number {
  try {
    return newNetworkNamespace();
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new LabError('environment', `bench dataplane makes network namespaces: run it as root (${error.message})`, {
      cause: error,
    });
  }
}
