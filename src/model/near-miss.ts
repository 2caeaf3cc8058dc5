import type { Port, Protocol, Transport } from '../net/port.ts';
import type { Direction } from './policy.ts';
import type { Requirement } from './selector.ts';

/**
 * How a rule of an isolating policy misses a denied connection: plain data, for text and JSON.
 * `rule` is the rule's index; null for a policy without rules in that direction. `file` and `line`
 * are those of the peer or port that comes nearest, else of the policy.
 */
export interface NearMiss {
  readonly direction: Direction;
  readonly namespace: string;
  readonly name: string;
  readonly rule: number | null;
  readonly file: string;
  readonly line: number;
  /** What would have to differ, all of it; never empty. */
  readonly differences: readonly Difference[];
}

/**
 * One thing that would have to differ for a rule to match. `text` says it in words; `actual` is what
 * is, `enough` a value that would do. Pods are written `NAMESPACE/NAME`.
 */
export type Difference = Fact & { readonly text: string };

/** A Difference but for its words. */
export type Fact =
  | { readonly kind: 'protocol'; readonly actual: Transport; readonly enough: Protocol }
  /** The rule names ports; only a rule without ports allows ICMP. */
  | { readonly kind: 'icmp' }
  /** Any port from `first` to `last` is enough. */
  | {
      readonly kind: 'port';
      readonly actual: Port | 0;
      readonly first: Port;
      readonly last: Port;
      readonly service: ServiceHint | null;
    }
  /** `enough` is the number that the name stands for on the destination; null if it has no such port. */
  | {
      readonly kind: 'named-port';
      readonly name: string;
      readonly protocol: Protocol;
      readonly actual: Port | 0;
      readonly enough: Port | null;
      readonly service: ServiceHint | null;
    }
  | ({ readonly kind: 'label'; readonly pod: string } & LabelFact)
  | ({ readonly kind: 'namespace-label'; readonly namespace: string } & LabelFact)
  /** The pod is in another namespace: in that of `enough` it would do. */
  | { readonly kind: 'namespace'; readonly pod: string; readonly actual: string; readonly enough: string }
  /** The address is in the block, but these excepts cut it out. */
  | { readonly kind: 'except'; readonly address: string; readonly block: string; readonly excepts: readonly string[] }
  | { readonly kind: 'block'; readonly address: string; readonly block: string }
  /** The rule speaks of pods, and policies see none behind the address. */
  | { readonly kind: 'no-pod'; readonly address: string }
  /** No labels whatever meet these requirements. */
  | { readonly kind: 'contradiction'; readonly requirements: readonly Requirement[] }
  | { readonly kind: 'no-rules' };

/** All that a selector requires of one label, and what there is. Null is: no such label. */
interface LabelFact {
  readonly key: string;
  readonly actual: string | null;
  readonly requirements: readonly Requirement[];
  readonly enough: string | null;
}

/** A Service whose `port` leads to `target` on the destination pod: one of both is the rule's, the other the connection's. */
export interface ServiceHint {
  readonly namespace: string;
  readonly name: string;
  readonly port: Port;
  readonly target: Port;
}

/** Whether some change of the pods or of the connection would make the rule match; else only another rule helps. */
export function isWithinReach({ differences }: Pick<NearMiss, 'differences'>): boolean {
  return differences.every(({ kind }) => kind !== 'contradiction' && kind !== 'no-rules');
}
