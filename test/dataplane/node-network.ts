import { execFileSync } from 'node:child_process';
import { readlinkSync, writeFileSync } from 'node:fs';
import { closeFd, inNamespace, newNetworkNamespace } from '../../src/dataplane/libc.ts';
import type { AttachedPod } from '../../src/dataplane/firewall.ts';
import type { IpAddress } from '../../src/net/ip.ts';
import { ip } from '../builders/address.ts';

/** The node's addresses in these tests. */
export const NODE_ADDRESSES = [ip('10.99.0.1'), ip('fd00:99::1')];

/** A pod's network namespace, with one address of each family. */
export interface TestPod extends AttachedPod {
  readonly namespace: number;
  readonly address: Readonly<Record<4 | 6, IpAddress>>;
}

/** A node namespace and pods around it, which vanish with their descriptors. */
export class NodeNetwork {
  readonly namespace = newNetworkNamespace();
  readonly pods: TestPod[] = [];

  constructor() {
    inNamespace(this.namespace, () => {
      prepare();
      batch([
        'link set lo up',
        'addr add 10.99.0.1/32 dev lo',
        'addr add fd00:99::1/128 dev lo nodad',
        // Without a route the node could not even begin to reach a Service's address.
        'route add 10.96.0.0/12 dev lo',
        'route add fd00:10:96::/108 dev lo',
      ]);
    });
  }

  /** A pod whose addresses end in this number. */
  attach(number: number): TestPod {
    const namespace = newNetworkNamespace();
    const address = { 4: ip(`10.0.0.${number}`), 6: ip(`fd00::${number}`) };
    const pod = { interface: `pod${number}`, addresses: [address[4], address[6]], namespace, address };
    const there = `/proc/${readlinkSync('/proc/self')}/fd/${namespace}`;
    inNamespace(namespace, prepare);
    inNamespace(this.namespace, () => {
      batch([
        `link add ${pod.interface} type veth peer name eth0 netns ${there}`,
        `link set ${pod.interface} up`,
        `addr add 169.254.1.1/32 dev ${pod.interface} scope link`,
        `addr add fe80::1/64 dev ${pod.interface} nodad`,
        `route add ${address[4].text}/32 dev ${pod.interface}`,
        `route add ${address[6].text}/128 dev ${pod.interface}`,
      ]);
    });
    inNamespace(namespace, () => {
      batch([
        'link set lo up',
        'link set eth0 up',
        `addr add ${address[4].text}/32 dev eth0`,
        `addr add ${address[6].text}/128 dev eth0 nodad`,
        'route add 169.254.1.1 dev eth0',
        'route add default via 169.254.1.1',
        'route add default via fe80::1 dev eth0',
      ]);
    });
    this.pods.push(pod);
    return pod;
  }

  /** Cuts a pod off for good; nothing that it still sends arrives. */
  detach(pod: TestPod): void {
    inNamespace(this.namespace, () => {
      batch([`link del ${pod.interface}`]);
    });
  }

  /** Runs `ip -batch` lines in a pod. */
  static configure(pod: TestPod, lines: readonly string[]): void {
    inNamespace(pod.namespace, () => batch(lines));
  }

  close(): void {
    for (const pod of this.pods) closeFd(pod.namespace);
    closeFd(this.namespace);
  }
}

function prepare(): void {
  for (const interfaces of ['all', 'default']) writeFileSync(`/proc/sys/net/ipv6/conf/${interfaces}/accept_dad`, '0');
}

function batch(lines: readonly string[]): void {
  execFileSync('ip', ['-batch', '-'], { input: lines.map((line) => `${line}\n`).join('') });
}
