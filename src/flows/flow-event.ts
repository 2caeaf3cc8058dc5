import type { NearMiss } from '../model/near-miss.ts';
import type { Transport } from '../net/port.ts';

/** One end of a flow. `name` is `NAMESPACE/POD`, the name of a host outside, `node`, or empty if nobody is known there. */
export interface FlowParty {
  readonly name: string;
  readonly address: string;
}

/** A policy that decided: with the rule that allowed (index from 0), or none where it isolates and nothing matched. */
export interface PolicyRef {
  readonly namespace: string;
  readonly name: string;
  readonly rule: number | null;
  readonly file: string;
  readonly line: number;
}

/** The verdict of one direction. `policies` has those that allowed, or those that isolate and did not allow. */
export interface DirectionReport {
  readonly verdict: 'allow' | 'deny';
  readonly isolated: boolean;
  readonly policies: readonly PolicyRef[];
  /** Of a denied flow: the rule that came nearest to allowing it. A flood of different denials has it in part. */
  readonly nearest?: NearMiss;
}

/** A verdict as every command reports it in JSON. */
export interface VerdictReport {
  readonly verdict: 'allow' | 'deny';
  readonly egress: DirectionReport;
  readonly ingress: DirectionReport;
  /** What is to be said with it: that policies are not enforced as specified. */
  readonly caveat?: string;
}

/** How a flow ended: by both sides, by a reset of one, by policies that allow it no longer, or because nothing came for long. */
export type FlowEnd = 'closed' | 'reset' | 'cut' | 'idle';

/**
 * What has been carried of a flow by its end. `sentBytes` went from the one who opened it: of TCP the payload, of UDP
 * whole packets. UDP's answers are not counted; `datagrams` is 0 for TCP.
 */
export interface CarriedReport {
  readonly durationMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly datagrams: number;
  readonly end: FlowEnd;
}

/**
 * The first packet of a connection and its verdict, or, with `carried`, its end, which only a relay tells. `time` is ISO
 * 8601 with milliseconds; ports are 0 for ICMP.
 */
export interface FlowEvent extends VerdictReport {
  readonly time: string;
  readonly from: FlowParty;
  readonly to: FlowParty;
  readonly protocol: Transport;
  readonly sourcePort: number;
  readonly port: number;
  /** Of an end alone; the verdict is then that of the policies at the end. */
  readonly carried?: CarriedReport;
  /** What the policies that are staged would say, where it is another verdict. */
  readonly staged?: VerdictReport;
  /** The egress gateway, NAMESPACE/POD, that asked before it dialled for `from`: no packet of this connection was seen. */
  readonly via?: string;
}
