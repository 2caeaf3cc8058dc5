import type { Pod } from '../model/pod.ts';
import type { Direction, PolicySide } from '../model/policy.ts';
import type { Family, IpAddress } from '../net/ip.ts';
import type { AddressRange } from './address-range.ts';

/** A pod as it was and as it is. */
export interface PodPair {
  readonly key: string;
  readonly before: Pod;
  readonly after: Pod;
}

/** What policies say of pods in one direction, those of before and of after. Equal keys, equal sides. */
export interface Profile {
  readonly key: string;
  readonly sides: readonly PolicySide[];
}

/**
 * Ends of connections that policies do not tell apart, neither before nor after: pods that are alike,
 * a node's address, or addresses outside the cluster.
 */
export type End = PodsEnd | AddressEnd;

/** Pods with the same labels, named ports and blocks around their addresses. Never empty. */
export interface PodsEnd {
  readonly kind: 'pods';
  readonly pods: readonly PodPair[];
  readonly profiles: Readonly<Record<Direction, Profile>>;
  /** Equal where named ports stand for the same numbers. */
  readonly portNames: string;
  /** Whether something of the pods themselves has changed: labels, ports, addresses. */
  readonly isChanged: boolean;
  /** Whether a policy that has changed isolates them in that direction, before or after. */
  readonly isTouched: Readonly<Record<Direction, boolean>>;
}

/** A node's address, or all addresses of `ranges` that are no pod's and no node's. `address` stands for them. */
export type AddressEnd =
  | { readonly kind: 'node'; readonly address: IpAddress }
  | { readonly kind: 'outside'; readonly address: IpAddress; readonly ranges: readonly AddressRange[] };

/** The pod's address of a family. @returns undefined if it has none. */
export function addressOf({ addresses }: Pod, family: Family): IpAddress | undefined {
  return addresses.find((address) => address.family === family);
}
