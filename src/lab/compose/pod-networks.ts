import { POD_NETWORK_LENGTH } from '../../manifest/address-pool.ts';
import { LabError } from '../../model/lab-error.ts';
import { parseIp } from '../../net/ip.ts';
import { contains, parsePrefix, type Prefix } from '../../net/prefix.ts';
import type { ExternalHost } from '../lab-client.ts';
import { docker } from './docker.ts';

// 10.244.0.0/16 and fd00:10:244::/64 are those of every lab that is alone; nine more can run beside it.
const FIRST = 244;
const LAST = 253;

/**
 * Networks for a lab's pods, one of each family, that overlap none of Docker's.
 * @throws LabError environment if all are taken; usage if a host outside the cluster has an address of Docker's: what
 * comes from there is translated on its way to another network.
 */
export async function freePodNetworks(hosts: readonly ExternalHost[]): Promise<readonly string[]> {
  const taken = await subnets();
  refuseTaken(hosts, taken);
  const networks = firstFree(taken);
  if (networks) return networks;
  throw new LabError('environment', "every network that pods may have is one of Docker's: end some labs");
}

function refuseTaken(hosts: readonly ExternalHost[], taken: readonly string[]): void {
  const networks = taken.flatMap((text) => parsePrefix(text) ?? []);
  for (const { name, addresses } of hosts) {
    for (const address of addresses.flatMap((text) => parseIp(text) ?? [])) {
      const network = networks.find((prefix) => contains(prefix, address));
      if (!network) continue;
      throw new LabError(
        'usage',
        `the host ${name} has the address ${address.text} of Docker's network ${network.text}: ` +
          'give it another one, or leave --backend compose out',
      );
    }
  }
}

async function subnets(): Promise<string[]> {
  const ids = await docker(['network', 'ls', '--quiet']);
  const format = '{{range .IPAM.Config}}{{.Subnet}} {{end}}';
  const found = await docker(['network', 'inspect', '--format', format, ...ids.split('\n')]);
  return found.split(/\s+/);
}

/** The first networks for pods that overlap none of these, CIDRs in text. @returns undefined if there are none left. */
export function firstFree(taken: readonly string[]): readonly string[] | undefined {
  const others = taken.flatMap((text) => parsePrefix(text) ?? []);
  for (let number = FIRST; number <= LAST; number += 1) {
    const networks = [`10.${number}.0.0/${POD_NETWORK_LENGTH[4]}`, `fd00:10:${number}::/${POD_NETWORK_LENGTH[6]}`];
    const own = networks.flatMap((text) => parsePrefix(text) ?? []);
    if (!own.some((network) => others.some((other) => overlap(network, other)))) return networks;
  }
  return undefined;
}

function overlap(one: Prefix, other: Prefix): boolean {
  const [wide, narrow] = one.length <= other.length ? [one, other] : [other, one];
  return contains(wide, narrow);
}
