import { boundSocket } from '../../dataplane/libc.ts';
import { DnsServer } from '../../dns/server.ts';
import type { Zone } from '../../dns/zone.ts';
import type { Pod } from '../../model/pod.ts';

const DNS_PORT = 53;

/** Serves the zone on port 53 in the pod's network (a descriptor), UDP and TCP, in the pod's families. */
export async function startClusterDns(pod: Pod, namespace: number, zone: () => Zone): Promise<AsyncDisposable> {
  const families = new Set(pod.addresses.map(({ family }) => family));
  const bound = (type: 'tcp' | 'udp', family: 4 | 6): number[] =>
    families.has(family) ? [boundSocket({ namespace, type, address: family, port: DNS_PORT })] : [];
  return DnsServer.listen({
    udpFds: bound('udp', 4),
    udp6Fds: bound('udp', 6),
    tcpFds: [...bound('tcp', 4), ...bound('tcp', 6)],
    zone,
  });
}
