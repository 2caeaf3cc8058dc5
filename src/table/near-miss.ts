import type { Cluster } from '../model/cluster.ts';
import { podsOf } from '../model/endpoint.ts';
import { invariant } from '../model/invariant.ts';
import type { Difference, NearMiss } from '../model/near-miss.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type Rule } from '../model/policy.ts';
import type { Source } from '../model/source.ts';
import type { Connection, Verdict } from '../model/verdict.ts';
import type { IpAddress } from '../net/ip.ts';
import { compareNearness } from './nearness.ts';
import { peerDifferences, type FarEnd } from './peer-misses.ts';
import { portDifferences, type Target } from './port-misses.ts';

/**
 * What would have to differ for a denied connection to be allowed: for each direction that denies,
 * one entry for each rule of the isolating policies, by the peer and the port that come nearest, and
 * one for each policy without rules. Nearest first: those with the fewest differences. Empty if the
 * connection is allowed. Cost: the rules of the isolating policies; the cold path.
 */
export function nearMisses(cluster: Cluster, connection: Connection, verdict: Verdict): readonly NearMiss[] {
  return DIRECTIONS.flatMap((direction) => {
    const side = verdict[direction];
    if (side.kind !== 'no-rule') return [];
    const ends = endsOf(cluster, connection, direction);
    return side.policies.flatMap((policy) => missesOf(policy, direction, ends));
  }).sort(compareNearness);
}

/** How many rules nearMisses looks at, and policies without any: what it costs. */
export function missCost(verdict: Verdict): number {
  const policies = DIRECTIONS.flatMap((direction) => {
    const side = verdict[direction];
    return side.kind === 'no-rule' ? side.policies.map((policy) => policy[direction]) : [];
  });
  return policies.reduce((sum, side) => sum + Math.max(1, side.kind === 'isolates' ? side.rules.length : 0), 0);
}

interface Ends {
  readonly farEnd: FarEnd;
  readonly target: Target;
}

function endsOf(cluster: Cluster, connection: Connection, direction: Direction): Ends {
  const podAt = (address: IpAddress) => podsOf(cluster, { kind: 'address', address })[0];
  const address = direction === 'egress' ? connection.destination : connection.source;
  return {
    farEnd: { cluster, address, pod: podAt(address) },
    target: { cluster, connection, pod: podAt(connection.destination) },
  };
}

function missesOf(policy: NetworkPolicy, direction: Direction, ends: Ends): NearMiss[] {
  const side = policy[direction];
  const rules = side.kind === 'isolates' ? side.rules : [];
  const { namespace, name } = policy;
  if (rules.length === 0) {
    const differences = [{ kind: 'no-rules', text: `it has no ${direction} rules and allows nothing` }] as const;
    return [{ direction, namespace, name, rule: null, ...policy.source, differences }];
  }
  return rules.map((rule) => {
    const peer = nearestPeer(rule, policy, ends.farEnd);
    const port = nearestPort(rule, ends.target);
    const { file, line } = peer.differences.length > 0 ? peer.source : port.source;
    const differences = [...peer.differences, ...port.differences];
    return { direction, namespace, name, rule: rule.index, file, line, differences };
  });
}

/** An item of a rule's peers or ports, and what keeps it from matching. */
interface ItemMiss {
  readonly source: Source;
  readonly differences: readonly Difference[];
}

function nearestPeer({ peers, source }: Rule, policy: NetworkPolicy, farEnd: FarEnd): ItemMiss {
  if (peers.kind === 'any') return { source, differences: [] };
  return nearest(
    peers.peers.map((peer) => ({ source: peer.source, differences: peerDifferences(peer, policy, farEnd) })),
  );
}

function nearestPort({ ports, source }: Rule, target: Target): ItemMiss {
  if (ports.kind === 'any') return { source, differences: [] };
  return nearest(ports.ports.map((port) => ({ source: port.source, differences: portDifferences(port, target) })));
}

function nearest(items: readonly ItemMiss[]): ItemMiss {
  const [first] = items.toSorted(compareNearness);
  invariant(first, 'a list of peers or ports is never empty');
  return first;
}
