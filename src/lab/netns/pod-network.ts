import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync, writeFileSync } from 'node:fs';
import { inNamespace, newNetworkNamespace, openNamespace } from '../../dataplane/libc.ts';
import { SERVICE_NETWORKS } from '../../manifest/address-pool.ts';
import { LabError } from '../../model/lab-error.ts';
import type { IpAddress } from '../../net/ip.ts';

/** A network namespace of a pod or of a host outside, joined to the node by a veth. `namespace` is a descriptor; `link` is the veth's name on the node. */
export interface PodNetwork {
  readonly namespace: number;
  readonly link: string;
  readonly addresses: readonly IpAddress[];
}

/** Its gateway as every pod sees it: the node's end of its veth. Source: Calico's way of routing, 169.254.1.1. */
const GATEWAY4 = '169.254.1.1';
const GATEWAY6 = 'fe80::1';

// No duplicate address detection: it holds an address back for a second.
const SETTINGS: readonly [string, string][] = [
  ['net/ipv6/conf/all/accept_dad', '0'],
  ['net/ipv6/conf/default/accept_dad', '0'],
  ['net/ipv6/conf/all/disable_ipv6', '0'],
  // No limit on ICMP errors: a closed UDP port that is asked often would look like a dropped one.
  ['net/ipv4/icmp_ratemask', '0'],
  ['net/ipv6/icmp/ratemask', '\n'],
];

/** A descriptor of this thread's own network namespace, which is the node's. */
export function openNodeNamespace(): number {
  return openNamespace('/proc/thread-self/ns/net');
}

/** Addresses of the node, and the gateway's. Runs in the node's namespace. */
export async function prepareNode(addresses: readonly IpAddress[]): Promise<void> {
  set(SETTINGS);
  await ipBatch([
    'link set lo up',
    `addr add ${GATEWAY4}/32 dev lo scope link`, // so that it is no source address of the node's
    ...addresses.map((address) => `addr add ${prefixed(address)} dev lo${nodad(address)}`),
    ...SERVICE_NETWORKS.map((network) => `route add ${network} dev lo`), // a way out, for what is translated after it
  ]);
}

/** Makes namespaces and joins them to the node. Cost: about 6 ms each, less for many at once. @throws LabError environment. */
export async function createNetworks(
  wanted: readonly { readonly link: string; readonly addresses: readonly IpAddress[] }[],
): Promise<PodNetwork[]> {
  if (wanted.length === 0) return [];
  const networks = wanted.map(({ link, addresses }): PodNetwork => {
    const namespace = newNetworkNamespace();
    inNamespace(namespace, () => {
      set(SETTINGS);
    });
    return { namespace, link, addresses };
  });
  const own = `/proc/${hostPid()}/fd`;
  await ipBatch(networks.flatMap((network) => nodeSide(network, `${own}/${network.namespace}`)));
  await Promise.all(networks.map((network) => ipBatch(podSide(network), network.namespace)));
  return networks;
}

/** Cuts networks off, at once and for good: their veths are gone when this returns. Their descriptors stay open. */
export async function cutNetworks(networks: readonly PodNetwork[]): Promise<void> {
  if (networks.length > 0) await ipBatch(networks.map(({ link }) => `link del ${link}`));
}

/** This process's pid as /proc shows it, which is not process.pid inside a pid namespace. */
export function hostPid(): number {
  return Number(readlinkSync('/proc/self'));
}

function nodeSide({ link, addresses }: PodNetwork, namespace: string): string[] {
  return [
    `link add ${link} type veth peer name eth0 netns ${namespace}`,
    `link set ${link} up`,
    `addr add ${GATEWAY6}/64 dev ${link} nodad`,
    ...addresses.map((address) => `route add ${prefixed(address)} dev ${link}`),
  ];
}

function podSide({ addresses }: PodNetwork): string[] {
  const has = (family: 4 | 6): boolean => addresses.some((address) => address.family === family);
  return [
    'link set lo up',
    'link set eth0 up',
    ...addresses.map((address) => `addr add ${prefixed(address)} dev eth0${nodad(address)}`),
    ...(has(4) ? [`route add ${GATEWAY4} dev eth0`, `route add default via ${GATEWAY4}`] : []),
    ...(has(6) ? [`route add default via ${GATEWAY6} dev eth0`] : []),
  ];
}

function prefixed(address: IpAddress): string {
  return `${address.text}/${address.family === 4 ? 32 : 128}`;
}

function nodad(address: IpAddress): string {
  return address.family === 6 ? ' nodad' : '';
}

function set(settings: readonly [string, string][]): void {
  for (const [path, value] of settings) {
    try {
      writeFileSync(`/proc/sys/${path}`, value);
    } catch (cause) {
      throw new LabError('environment', `cannot set ${path}: is /proc/sys writable here?`, { cause });
    }
  }
}

/** Runs `ip -batch` with these lines, in a namespace if one is given. */
async function ipBatch(lines: readonly string[], namespace?: number): Promise<void> {
  const launch = () => spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  const child = namespace === undefined ? launch() : inNamespace(namespace, launch);
  const complaints: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return;
  throw new LabError('environment', `ip failed: ${Buffer.concat(complaints).toString('utf8').trim()}`);
}
