import { namedPort, type Pod } from '../model/pod.ts';
import type { Direction, NetworkPolicy, Peer, PolicyPort, Rule } from '../model/policy.ts';
import { selects, type Labels } from '../model/selector.ts';
import { verdictOf, type Connection, type DirectionVerdict, type RuleMatch, type Verdict } from '../model/verdict.ts';
import { sameIp, type IpAddress } from '../net/ip.ts';
import { contains } from '../net/prefix.ts';

/** What explaining needs of a table. */
export interface Explained {
  /** The endpoint pod that has the address; undefined if it is no pod's. */
  podAt(address: IpAddress): Pod | undefined;
  /** The policies that isolate the pod of the address, in the cluster's order. */
  isolating(address: IpAddress, direction: Direction): readonly NetworkPolicy[];
  namespaceLabels(name: string): Labels;
}

/** One direction of a connection as seen from the pod that policies select. */
interface Side {
  readonly direction: Direction;
  readonly connection: Connection;
  readonly subject: IpAddress;
  readonly peer: IpAddress;
  /** Undefined if the address is no pod's. */
  readonly peerPod: Pod | undefined;
  readonly destinationPod: Pod | undefined;
}

/** The verdict and all its reasons. Cost: the rules of the policies that isolate either pod. */
export function explain(table: Explained, connection: Connection): Verdict {
  const { source, destination } = connection;
  const sourcePod = table.podAt(source);
  const destinationPod = table.podAt(destination);
  const both = { connection, destinationPod };
  return verdictOf({
    egress: judge(table, {
      ...both,
      direction: 'egress',
      subject: source,
      peer: destination,
      peerPod: destinationPod,
    }),
    ingress: judge(table, { ...both, direction: 'ingress', subject: destination, peer: source, peerPod: sourcePod }),
  });
}

function judge(table: Explained, side: Side): DirectionVerdict {
  const pod = table.podAt(side.subject);
  const policies = table.isolating(side.subject, side.direction);
  if (!pod || policies.length === 0) return { kind: 'not-isolated' };
  if (sameIp(side.subject, side.peer)) return { kind: 'itself' };
  if (pod.nodeAddresses.some((address) => sameIp(address, side.peer))) return { kind: 'node' };
  const matches = policies.flatMap((policy) => matchesOf(table, policy, side));
  return matches.length > 0 ? { kind: 'rules', matches } : { kind: 'no-rule', policies };
}

function matchesOf(table: Explained, policy: NetworkPolicy, side: Side): RuleMatch[] {
  const rules = policy[side.direction];
  if (rules.kind === 'ignored') return [];
  return rules.rules
    .filter((rule) => portMatches(rule, side) && peerMatches(table, policy, rule, side))
    .map((rule) => ({ policy, rule }));
}

function portMatches({ ports }: Rule, { connection, destinationPod }: Side): boolean {
  return ports.kind === 'any' || ports.ports.some((port) => isPort(port, connection, destinationPod));
}

function isPort({ protocol, port }: PolicyPort, connection: Connection, destination: Pod | undefined): boolean {
  if (protocol !== connection.transport) return false;
  switch (port.kind) {
    case 'any':
      return true;
    case 'range':
      return port.first <= connection.port && connection.port <= port.last;
    case 'named':
      return destination !== undefined && namedPort(destination, port.name, protocol) === connection.port;
  }
}

function peerMatches(table: Explained, policy: NetworkPolicy, { peers }: Rule, side: Side): boolean {
  return peers.kind === 'any' || peers.peers.some((peer) => isPeer(table, policy, peer, side));
}

function isPeer(table: Explained, policy: NetworkPolicy, peer: Peer, { peer: address, peerPod }: Side): boolean {
  if (peer.kind === 'block') {
    return contains(peer.cidr, address) && !peer.except.some((except) => contains(except, address));
  }
  if (!peerPod || !selects(peer.pods, peerPod.labels)) return false;
  if (peer.namespaces.kind === 'own') return peerPod.namespace === policy.namespace;
  return selects(peer.namespaces.selector, table.namespaceLabels(peerPod.namespace));
}
