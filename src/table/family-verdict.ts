import type { Answers, ConnectionAnswer } from '../model/question.ts';
import type { Verdict } from '../model/verdict.ts';
import type { PolicyTable } from './policy-table.ts';

/** A connection by one family, and its verdict. */
export interface FamilyVerdict {
  readonly answer: ConnectionAnswer;
  readonly verdict: Verdict;
}

/** What a question comes to. `unlike` are the families by which it comes to the contrary. */
export interface QuestionVerdict extends FamilyVerdict {
  readonly unlike: readonly FamilyVerdict[];
}

/** Who asks for a connection gets it if it passes by any family: the verdict is that of the first which does, or else of the first. */
export function questionVerdict(
  table: PolicyTable,
  { byFamily: [first, ...others] }: Pick<Answers, 'byFamily'>,
): QuestionVerdict {
  const explained = (answer: ConnectionAnswer): FamilyVerdict => ({
    answer,
    verdict: table.explain(answer.connection),
  });
  const all = [explained(first), ...others.map(explained)] as const;
  const decisive = all.find(({ verdict }) => verdict.allowed) ?? all[0];
  return { ...decisive, unlike: all.filter(({ verdict }) => verdict.allowed !== decisive.verdict.allowed) };
}
