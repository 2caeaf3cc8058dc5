import type { Cluster } from '../../src/model/cluster.ts';
import type { NetworkPolicy, Rule } from '../../src/model/policy.ts';
import { declaredPorts, isEndpoint, type Pod } from '../../src/model/pod.ts';
import type { Connection } from '../../src/model/verdict.ts';
import { fromWords, sameIp, type Family, type IpAddress } from '../../src/net/ip.ts';
import { parsePort, TRANSPORTS, type Port, type Transport } from '../../src/net/port.ts';
import type { Prefix } from '../../src/net/prefix.ts';
import { after, before, firstOf, lastOf } from './address-arithmetic.ts';
import { portNumber } from './address.ts';
import { PORT_NUMBERS } from './random-pods.ts';
import { randomAddressIn } from './random-policy.ts';
import type { Random } from './random.ts';

/**
 * A connection between addresses that matter to the cluster: of pods, next to them, at the bounds
 * of blocks, of nodes, a pod's own, and anywhere; to ports that matter to its policies and pods.
 */
export function randomConnection(random: Random, cluster: Cluster): Connection {
  const family: Family = random.chance(0.6) ? 4 : 6;
  const source = randomAddress(random, cluster, family);
  let destination = randomAddress(random, cluster, family);
  // Small clusters would talk to themselves all the time.
  if (sameIp(source, destination)) destination = randomAddress(random, cluster, family);
  const ends = random.chance(0.06) ? withOwnNode(random, cluster, family) : { source, destination };
  return { ...ends, ...randomService(random, cluster, ends.destination) };
}

type PortAndTransport = Pick<Connection, 'transport' | 'port'>;

/** Often what the destination pod declares; else any transport and a port of interest. */
function randomService(random: Random, cluster: Cluster, destination: IpAddress): PortAndTransport {
  const pod = cluster.pods.find(({ addresses }) => addresses.some((address) => sameIp(address, destination)));
  const declared = pod?.containers.flatMap(({ ports }) => ports) ?? [];
  if (declared.length > 0 && random.chance(0.4)) {
    const { protocol, port } = random.pick(declared);
    return { transport: protocol, port };
  }
  const transport = random.pick<Transport>(random.chance(0.4) ? ['TCP'] : TRANSPORTS);
  return { transport, port: transport === 'ICMP' ? 0 : randomPort(random, cluster) };
}

function randomAddress(random: Random, cluster: Cluster, family: Family): IpAddress {
  const pods = cluster.pods.filter((pod) => isEndpoint(pod));
  const candidates = random.chance(0.75) ? addressesOf(pods, family) : outskirts(random, cluster, family);
  return candidates.length > 0 ? random.pick(candidates) : anywhere(random, family);
}

/** Addresses that only nearly are an endpoint pod's, and others of interest. */
function outskirts(random: Random, cluster: Cluster, family: Family): IpAddress[] {
  const pods = addressesOf(cluster.pods, family);
  switch (random.between(1, 5)) {
    case 1:
      return pods;
    case 2:
      return pods.flatMap((address) => [before(address), after(address)]);
    case 3:
      return cluster.pods.flatMap(({ nodeAddresses }) => nodeAddresses.filter((node) => node.family === family));
    case 4:
      return blocksOf(cluster)
        .filter((block) => block.family === family)
        .flatMap((block) => bounds(random, block));
    default:
      return [];
  }
}

function addressesOf(pods: readonly Pod[], family: Family): IpAddress[] {
  return pods.flatMap((pod) => pod.addresses.filter((address) => address.family === family));
}

function bounds(random: Random, block: Prefix): IpAddress[] {
  const [first, last] = [firstOf(block), lastOf(block)];
  return [first, last, before(first), after(last), randomAddressIn(random, block)];
}

function anywhere(random: Random, family: Family): IpAddress {
  return fromWords(Array.from({ length: family === 4 ? 1 : 4 }, () => random.word()));
}

/** A pod and its node, in either order; anything if there is no such pod. */
function withOwnNode(random: Random, cluster: Cluster, family: Family): Pick<Connection, 'source' | 'destination'> {
  const pairs = cluster.pods.flatMap((pod) =>
    addressesOf([pod], family).flatMap((address) =>
      pod.nodeAddresses.filter((node) => node.family === family).map((node): [IpAddress, IpAddress] => [address, node]),
    ),
  );
  const pair: [IpAddress, IpAddress] =
    pairs.length > 0 ? random.pick(pairs) : [anywhere(random, family), anywhere(random, family)];
  const [source, destination] = random.chance(0.5) ? pair : [pair[1], pair[0]];
  return { source, destination };
}

/** A port at the bounds of a rule's ports or next to them, a pod's, or any; 0 at times, which no policy can name. */
function randomPort(random: Random, cluster: Cluster): Port | 0 {
  const candidates = random.chance(0.5) ? policyPorts(cluster) : namedPorts(cluster);
  const port = random.chance(0.85) && candidates.length > 0 ? random.pick(candidates) : random.pick(PORT_NUMBERS);
  if (random.chance(0.01)) return 0;
  return parsePort(random.chance(0.05) ? random.between(1, 65535) : port) ?? portNumber(1);
}

function policyPorts(cluster: Cluster): number[] {
  return cluster.policies.flatMap(rulesOf).flatMap(({ ports }) => {
    if (ports.kind === 'any') return [];
    return ports.ports.flatMap(({ port }) =>
      port.kind === 'range' ? [port.first - 1, port.first, port.last, port.last + 1] : [],
    );
  });
}

function namedPorts(cluster: Cluster): number[] {
  return cluster.pods.flatMap(declaredPorts).map(({ port }) => port);
}

function blocksOf(cluster: Cluster): Prefix[] {
  return cluster.policies.flatMap(rulesOf).flatMap(({ peers }) => {
    if (peers.kind === 'any') return [];
    return peers.peers.flatMap((peer) => (peer.kind === 'block' ? [peer.cidr, ...peer.except] : []));
  });
}

function rulesOf({ ingress, egress }: NetworkPolicy): Rule[] {
  return [ingress, egress].flatMap((side) => (side.kind === 'isolates' ? side.rules : []));
}
