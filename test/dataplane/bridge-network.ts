import { execFileSync } from 'node:child_process';
import { readlinkSync, writeFileSync } from 'node:fs';
import { closeFd, inNamespace, newNetworkNamespace } from '../../src/dataplane/libc.ts';
import { ip } from '../builders/address.ts';
import type { TestPod } from './node-network.ts';

/** The bridge's own addresses: to the pods it is their node, as Docker's host is to containers. */
export const GATEWAY = { 4: ip('10.244.0.1'), 6: ip('fd00:10:244::1') } as const;

/** Network namespaces on a bridge, as Docker makes them; they vanish with their descriptors. */
export class BridgeNetwork implements Disposable {
  /** What the bridge is in, seen as the pods' node. */
  readonly host: TestPod;
  readonly #namespaces: number[] = [];

  constructor() {
    const namespace = this.#namespace();
    this.host = { interface: 'br0', addresses: [GATEWAY[4], GATEWAY[6]], namespace, address: GATEWAY };
    this.runIn(this.host, [
      'link set lo up',
      'link add br0 type bridge',
      'link set br0 up',
      `addr add ${GATEWAY[4].text}/16 dev br0`,
      `addr add ${GATEWAY[6].text}/64 dev br0 nodad`,
    ]);
  }

  /** A namespace on the bridge whose addresses end in this number. */
  attach(number: number): TestPod {
    return this.attachAt({ 4: ip(`10.244.0.${number}`), 6: ip(`fd00:10:244::${number}`) });
  }

  /** A namespace on the bridge with these addresses. */
  attachAt(address: TestPod['address']): TestPod {
    const namespace = this.#namespace();
    const pod = { interface: `pod${this.#namespaces.length}`, addresses: [address[4], address[6]], namespace, address };
    this.runIn(this.host, [
      `link add ${pod.interface} type veth peer name eth0 netns ${pathOf(namespace)}`,
      `link set ${pod.interface} master br0 up`,
    ]);
    this.runIn(pod, [
      'link set lo up',
      'link set eth0 up',
      `addr add ${address[4].text}/16 dev eth0`,
      `addr add ${address[6].text}/64 dev eth0 nodad`,
      `route add default via ${GATEWAY[4].text}`,
      `route add default via ${GATEWAY[6].text}`,
    ]);
    return pod;
  }

  /** Runs `ip -batch` lines in a namespace. */
  runIn({ namespace }: Pick<TestPod, 'namespace'>, lines: readonly string[]): void {
    inNamespace(namespace, () =>
      execFileSync('ip', ['-batch', '-'], { input: lines.map((line) => `${line}\n`).join('') }),
    );
  }

  [Symbol.dispose](): void {
    for (const namespace of this.#namespaces) closeFd(namespace);
  }

  #namespace(): number {
    const namespace = newNetworkNamespace();
    this.#namespaces.push(namespace);
    inNamespace(namespace, () => {
      // As Docker sets it: who has no capability may serve port 80.
      writeFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', '0');
      for (const which of ['all', 'default']) writeFileSync(`/proc/sys/net/ipv6/conf/${which}/accept_dad`, '0');
    });
    return namespace;
  }
}

/** A namespace of this process by a path that other programs can open. */
function pathOf(namespace: number): string {
  return `/proc/${readlinkSync('/proc/self')}/fd/${namespace}`;
}
