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
}

/** A verdict as every command reports it in JSON. */
export interface VerdictReport {
  readonly verdict: 'allow' | 'deny';
  readonly egress: DirectionReport;
  readonly ingress: DirectionReport;
}

/** The first packet of a connection and its verdict. `time` is ISO 8601 with milliseconds; ports are 0 for ICMP. */
export interface FlowEvent extends VerdictReport {
  readonly time: string;
  readonly from: FlowParty;
  readonly to: FlowParty;
  readonly protocol: Transport;
  readonly sourcePort: number;
  readonly port: number;
}
