import type { Cluster } from '../model/cluster.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy } from '../model/policy.ts';
import type { Members } from './members.ts';

/** A policy and its place in the cluster. */
export interface IsolatingPolicy {
  readonly index: number;
  readonly policy: NetworkPolicy;
}

/** For each direction and identity, the policies that isolate it, in the cluster's order. */
export type Isolation = Readonly<Record<Direction, readonly (readonly IsolatingPolicy[])[]>>;

/** Finds which policies isolate which of `count` identities. */
export function isolate({ policies }: Cluster, members: Members, count: number): Isolation {
  const isolation: Record<Direction, IsolatingPolicy[][]> = {
    egress: Array.from({ length: count }, () => []),
    ingress: Array.from({ length: count }, () => []),
  };
  for (const [index, policy] of policies.entries()) {
    const isolating = { index, policy };
    for (const identity of members.inNamespace(policy.namespace, policy.podSelector)) {
      for (const direction of DIRECTIONS) {
        if (policy[direction].kind === 'isolates') isolation[direction][identity]?.push(isolating);
      }
    }
  }
  return isolation;
}
