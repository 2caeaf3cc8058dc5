import type { ExternalName } from '../../dns/zone.ts';
import { LabError } from '../../model/lab-error.ts';
import { parseIp, type IpAddress } from '../../net/ip.ts';
import type { ExternalHost } from '../lab-client.ts';
import { BuiltinServer } from './builtin-server.ts';
import { createNetworks, type PodNetwork } from './pod-network.ts';

/** A host outside the cluster, joined to the node like a pod but unknown to policies except by address. */
export interface OutsideHost extends ExternalName {
  readonly network: PodNetwork;
}

/** Starts the hosts outside the cluster, with a server on each of their ports. @throws LabError usage for an address that is none. */
export async function startOutsideHosts(hosts: readonly ExternalHost[]): Promise<OutsideHost[]> {
  const addresses = hosts.map((host) => host.addresses.map((text) => addressOf(host, text)));
  const networks = await createNetworks(addresses.map((own, index) => ({ link: `out${index}`, addresses: own })));
  return Promise.all(
    hosts.map(async (host, index): Promise<OutsideHost> => {
      const network = networks[index];
      if (!network) throw new Error(`no network was made for ${host.name}`);
      await serve(host, network);
      return { name: host.name, addresses: network.addresses, network };
    }),
  );
}

async function serve(host: ExternalHost, { namespace, addresses }: PodNetwork): Promise<void> {
  const identity = [
    ['host', host.name],
    ['address', addresses.map(({ text }) => text).join(' ')],
  ] as const;
  const families = [...new Set(addresses.map(({ family }) => family))];
  for (const { protocol, port } of host.ports) {
    if (protocol === 'SCTP') continue; // no SCTP sockets in many kernels
    await BuiltinServer.listen({ namespace, families, protocol, port }, identity);
  }
}

function addressOf(host: ExternalHost, text: string): IpAddress {
  const address = parseIp(text);
  if (!address) throw new LabError('usage', `external host ${host.name}: "${text}" is no IP address`);
  return address;
}
