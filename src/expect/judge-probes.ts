import type { ProbeResult } from '../lab/lab-client.ts';
import type { Expectation } from './expectation-file.ts';
import { pairText, type Result } from './judge.ts';
import type { ExpectedPair } from './pairs.ts';

/** What a real connection met: under the policies, and for one that must be denied also without them. */
export interface ProbedPair {
  readonly expectation: Expectation;
  readonly pair: ExpectedPair;
  readonly outcome: ProbeResult['outcome'];
  /** What the policies say of it. */
  readonly reason: string;
  readonly withoutPolicies: ProbeResult['outcome'];
}

/** Judges expectations by real connections. A denial counts only if it times out and an answer comes without policies. */
export function judgeProbes(expectations: readonly Expectation[], probed: readonly ProbedPair[]): Result[] {
  const pairs = Map.groupBy(probed, ({ expectation }) => expectation);
  return expectations.map((expectation) => {
    const own = pairs.get(expectation) ?? [];
    return { expectation, connections: own.length, failures: own.flatMap(failureOf) };
  });
}

function failureOf({ expectation, pair, outcome, reason, withoutPolicies }: ProbedPair): string[] {
  const passed = outcome === 'connected' || outcome === 'refused';
  if (expectation.verdict === 'allow') return passed ? [] : [`${pairText(pair)} met ${outcome}: ${reason}`];
  if (outcome !== 'timeout') return [`${pairText(pair)} met ${outcome}: ${reason}`];
  if (withoutPolicies === 'connected') return [];
  return [`${pairText(pair)} is denied, which proves nothing: without policies it met ${withoutPolicies}`];
}
