import type { IpAddress } from '../net/ip.ts';
import type { Cluster } from './cluster.ts';
import { podsOf, serviceAt, type Endpoint } from './endpoint.ts';
import { isEndpoint, type Pod } from './pod.ts';
import type { Connection } from './verdict.ts';

/** An end of connections that is the same for every question: nothing is chosen and no Service in between. */
export interface FixedEnd {
  readonly ipv4: IpAddress | undefined;
  readonly ipv6: IpAddress | undefined;
}

/** The addresses of a pod. */
export function fixedEndOf({ addresses }: Pick<Pod, 'addresses'>): FixedEnd {
  const [ipv4, ipv6] = [4, 6].map((family) => addresses.find((address) => address.family === family));
  return { ipv4, ipv6 };
}

/** What an endpoint comes to in every question. @returns undefined if that depends on the question, or it is no end at all. */
export function fixedEnd(cluster: Cluster, endpoint: Endpoint): FixedEnd | undefined {
  switch (endpoint.kind) {
    case 'address':
      return serviceAt(cluster, endpoint.address) ? undefined : fixedEndOf({ addresses: [endpoint.address] });
    case 'pod': {
      const [pod] = podsOf(cluster, endpoint);
      return pod && isEndpoint(pod) ? fixedEndOf(pod) : undefined;
    }
    case 'service':
    case 'workload':
      return undefined;
  }
}

/** The addresses by each family that both ends have, IPv4 first, as toConnections() chooses them. */
export function addressPairs(from: FixedEnd, to: FixedEnd): Pick<Connection, 'source' | 'destination'>[] {
  const pairs = [];
  if (from.ipv4 && to.ipv4) pairs.push({ source: from.ipv4, destination: to.ipv4 });
  if (from.ipv6 && to.ipv6) pairs.push({ source: from.ipv6, destination: to.ipv6 });
  return pairs;
}
