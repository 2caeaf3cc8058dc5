import type { VerdictReport } from '../flows/flow-event.ts';
import type { Verdict } from '../model/verdict.ts';
import { verdictReport } from './verdict-report.ts';

/** What a flow has of the verdict that staged policies would give: nothing where it is the same. */
export function stagedReport(
  { verdict }: Pick<VerdictReport, 'verdict'>,
  staged: Verdict | undefined,
): { readonly staged?: VerdictReport } {
  if (!staged || staged.allowed === (verdict === 'allow')) return {};
  return { staged: verdictReport(staged) };
}
