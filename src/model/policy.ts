import type { Port, Protocol } from '../net/port.ts';
import type { Prefix } from '../net/prefix.ts';
import type { Selector } from './selector.ts';
import type { Source } from './source.ts';

/** The direction of a connection as seen from the pod that a policy selects. */
export type Direction = 'ingress' | 'egress';

/** Both directions, in the order in which a connection meets them. */
export const DIRECTIONS: readonly Direction[] = ['egress', 'ingress'];

/** A NetworkPolicy after defaulting and validation: nothing in it means something by being absent. */
export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly podSelector: Selector;
  readonly ingress: PolicySide;
  readonly egress: PolicySide;
  readonly source: Source;
}

/** All that a policy says, wherever it is written: equal for equal policies. */
export function policyContent(policy: NetworkPolicy): string {
  return JSON.stringify(policy, (key, value: unknown) => (key === 'source' ? undefined : value));
}

/** What a policy does in one direction: nothing, or isolate the pods it selects but for what its rules allow. */
export type PolicySide = { readonly kind: 'ignored' } | { readonly kind: 'isolates'; readonly rules: readonly Rule[] };

/** One rule. `index` is its place in the policy's list, from 0. It allows what matches a peer and a port. */
export interface Rule {
  readonly index: number;
  readonly peers: Peers;
  readonly ports: Ports;
  readonly source: Source;
}

/** `any` is every address, also outside the cluster. A list is never empty. */
export type Peers = { readonly kind: 'any' } | { readonly kind: 'list'; readonly peers: readonly Peer[] };

/** One item of `from` or `to`. */
export type Peer = BlockPeer | PodsPeer;

/** ipBlock: the addresses of `cidr` but for those of `except`. */
export interface BlockPeer {
  readonly kind: 'block';
  readonly cidr: Prefix;
  readonly except: readonly Prefix[];
  readonly source: Source;
}

/** Pods that `pods` selects, in the policy's own namespace or in those that a selector selects. */
export interface PodsPeer {
  readonly kind: 'pods';
  readonly namespaces: { readonly kind: 'own' } | { readonly kind: 'selected'; readonly selector: Selector };
  readonly pods: Selector;
  readonly source: Source;
}

/** `any` is every port of every protocol, and ICMP. A list is never empty. */
export type Ports = { readonly kind: 'any' } | { readonly kind: 'list'; readonly ports: readonly PolicyPort[] };

/** One item of `ports`. A named port is looked up on the destination pod. `last` is inclusive. */
export interface PolicyPort {
  readonly protocol: Protocol;
  readonly port:
    | { readonly kind: 'any' }
    | { readonly kind: 'range'; readonly first: Port; readonly last: Port }
    | { readonly kind: 'named'; readonly name: string };
  readonly source: Source;
}
