import type { Endpoint } from '../model/endpoint.ts';
import type { Direction } from '../model/policy.ts';
import type { Port, Transport } from '../net/port.ts';

/** A connection that some program has recorded. */
export interface RecordedFlow {
  /** What each end may be in manifests, the surest first: a pod by name, its workload, an address. */
  readonly from: readonly Endpoint[];
  readonly to: readonly Endpoint[];
  readonly transport: Transport;
  readonly port: Port | 0;
  /** What became of it; null if that is not recorded. */
  readonly verdict: 'allow' | 'deny' | null;
  /** Where an allowance was seen, if it is that of one end alone: the other may have denied it. */
  readonly seenAt: Direction | null;
}

/** A line of a record: a flow, or why it is none that can be judged. */
export type Reading =
  { readonly kind: 'flow'; readonly flow: RecordedFlow } | { readonly kind: 'skipped'; readonly reason: string };

/** A line that is not judged. */
export function skipped(reason: string): Reading {
  return { kind: 'skipped', reason };
}
