import { BuiltinServer, type Identity } from '../lab/netns/builtin-server.ts';
import type { PortSpec } from '../model/question.ts';
import { ownAddresses } from './own-network.ts';

/** Serves the ports in this process's network, in the families that it has; says who it is and whom it sees. SCTP is left out. */
export async function servePorts(ports: readonly PortSpec[], identity: Identity): Promise<void> {
  const families = ownAddresses().map(({ family }) => family);
  for (const { protocol, port } of ports) {
    if (protocol === 'SCTP') continue; // no SCTP sockets in many kernels
    await BuiltinServer.listen({ namespace: undefined, families, protocol, port }, identity);
  }
}
