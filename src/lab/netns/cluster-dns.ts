import { boundSocket } from '../../dataplane/libc.ts';
import { DnsServer } from '../../dns/server.ts';
import type { Zone } from '../../dns/zone.ts';
import type { Pod } from '../../model/pod.ts';

const DNS_PORT = 53;

/** Serves the zone on port 53 in the pod's network, UDP and TCP, in the families of these addresses. @param namespace descriptor; undefined for this process's own. */
export async function startClusterDns(
  { addresses }: Pick<Pod, 'addresses'>,
  namespace: number | undefined,
  zone: () => Zone,
): Promise<AsyncDisposable> {
  const families = new Set(addresses.map(({ family }) => family));
  const bound = (type: 'tcp' | 'udp', family: 4 | 6): number[] =>
    families.has(family) ? [boundSocket({ namespace, type, address: family, port: DNS_PORT })] : [];
  return DnsServer.listen({
    udpFds: bound('udp', 4),
    udp6Fds: bound('udp', 6),
    tcpFds: [...bound('tcp', 4), ...bound('tcp', 6)],
    zone,
  });
}
