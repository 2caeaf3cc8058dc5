import type { VerdictReport } from '../flows/flow-event.ts';
import type { NearMiss } from '../model/near-miss.ts';
import { partyText, type Answer } from '../model/question.ts';
import type { Verdict } from '../model/verdict.ts';
import { verdictReport } from './verdict-report.ts';

/** A verdict with all that helps to understand it. */
export interface Explanation extends VerdictReport {
  /** `NAMESPACE/POD` or the address: what a workload was narrowed down to. */
  readonly from: string;
  /** The pod or address that was reached, behind a Service as well. */
  readonly to: string;
  /** What was chosen or translated on the way. */
  readonly notes: readonly string[];
  /** If denied: what would have to differ, nearest first. */
  readonly nearMisses: readonly NearMiss[];
}

/** What there is to say of a question's answer and the connection's verdict. */
export function explanationOf(
  { from, to, notes }: Extract<Answer, { kind: 'connection' }>,
  verdict: Verdict,
  nearMisses: readonly NearMiss[],
): Explanation {
  return { from: partyText(from), to: partyText(to), notes, ...verdictReport(verdict), nearMisses };
}
