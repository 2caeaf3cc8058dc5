import type { Cluster } from '../../src/model/cluster.ts';
import type { Connection } from '../../src/model/verdict.ts';
import type { VerdictText } from './verdict-text.ts';

/** A conformance case: its name starts with the number of the rule that it shows. */
export interface Case {
  readonly name: string;
  readonly cluster: Cluster;
  readonly connection: Connection;
  readonly want: VerdictText;
}

/** The connection passes, with these verdicts of its directions. */
export function allowed(egress: string, ingress: string): VerdictText {
  return { allowed: true, egress, ingress };
}

/** The connection is dropped, with these verdicts of its directions. */
export function denied(egress: string, ingress: string): VerdictText {
  return { allowed: false, egress, ingress };
}
