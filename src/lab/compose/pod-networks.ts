import { POD_NETWORK_LENGTH } from '../../manifest/address-pool.ts';
import { LabError } from '../../model/lab-error.ts';
import { contains, parsePrefix, type Prefix } from '../../net/prefix.ts';
import { docker } from './docker.ts';

// 10.244.0.0/16 and fd00:10:244::/64 are those of every lab that is alone; nine more can run beside it.
const FIRST = 244;
const LAST = 253;

/** Networks for a lab's pods, one of each family, that overlap none of Docker's. @throws LabError environment if all are taken. */
export async function freePodNetworks(): Promise<readonly string[]> {
  const ids = await docker(['network', 'ls', '--quiet']);
  const format = '{{range .IPAM.Config}}{{.Subnet}} {{end}}';
  const subnets = await docker(['network', 'inspect', '--format', format, ...ids.split('\n')]);
  const networks = firstFree(subnets.split(/\s+/));
  if (networks) return networks;
  throw new LabError('environment', "every network that pods may have is one of Docker's: end some labs");
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
