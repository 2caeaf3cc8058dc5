import type { IpAddress } from '../net/ip.ts';
import type { Port, Transport } from '../net/port.ts';
import type { Direction, NetworkPolicy, Rule } from './policy.ts';

/**
 * A connection as the destination pod sees it: after a Service address was translated.
 * Both addresses are of one family. `port` is 0 for ICMP.
 */
export interface Connection {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly transport: Transport;
  readonly port: Port | 0;
}

/** Allowed or denied, and why. A connection passes only if both directions allow it. */
export interface Verdict {
  readonly allowed: boolean;
  readonly egress: DirectionVerdict;
  readonly ingress: DirectionVerdict;
}

/**
 * The verdict of one direction, in the order in which these are tried:
 * `not-isolated`: no policy selects the pod in this direction, or the address is no pod's.
 * `itself`: a pod talks to itself by its own address. `node`: the pod's own node talks to it.
 * `rules`: at least one rule matches; `matches` has every matching rule, in the policies' order.
 * `no-rule`: the policies isolate the pod and none of their rules matches: denied.
 */
export type DirectionVerdict =
  | { readonly kind: 'not-isolated' }
  | { readonly kind: 'itself' }
  | { readonly kind: 'node' }
  | { readonly kind: 'rules'; readonly matches: readonly RuleMatch[] }
  | { readonly kind: 'no-rule'; readonly policies: readonly NetworkPolicy[] };

/** A rule that allows the connection. */
export interface RuleMatch {
  readonly policy: NetworkPolicy;
  readonly rule: Rule;
}

/** Whether this direction lets the connection pass. */
export function allows(verdict: DirectionVerdict): boolean {
  return verdict.kind !== 'no-rule';
}

/** The verdict that these two directions add up to. */
export function verdictOf(sides: Readonly<Record<Direction, DirectionVerdict>>): Verdict {
  return { allowed: allows(sides.egress) && allows(sides.ingress), egress: sides.egress, ingress: sides.ingress };
}
