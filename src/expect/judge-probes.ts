import type { ProbeResult } from '../lab/lab-client.ts';
import type { Expectation } from './expectation-file.ts';
import { pairText, type Result } from './judge.ts';
import type { ExpectedPair } from './pairs.ts';

/** What the real connections of a pair met, one for each family: under the policies, and for one that must be denied also without them. */
export interface ProbedPair {
  readonly expectation: Expectation;
  readonly pair: ExpectedPair;
  readonly attempts: readonly Attempt[];
}

/** One connection, tried twice. */
export interface Attempt {
  readonly outcome: ProbeResult['outcome'];
  /** What the policies say of it, if it is not as expected. */
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

/** It is allowed if it passes by any family, denied if it times out by all. */
function failureOf({ expectation, pair, attempts }: ProbedPair): string[] {
  const met = ({ outcome, reason }: Attempt): string[] => [`${pairText(pair)} met ${outcome}: ${reason}`];
  const [first] = attempts;
  if (!first) return [];
  if (expectation.verdict === 'allow') return attempts.some(passed) ? [] : met(first);
  const wrong = attempts.find(({ outcome }) => outcome !== 'timeout');
  if (wrong) return met(wrong);
  if (attempts.some(({ withoutPolicies }) => withoutPolicies === 'connected')) return [];
  return [`${pairText(pair)} is denied, which proves nothing: without policies it met ${first.withoutPolicies}`];
}

function passed({ outcome }: Attempt): boolean {
  return outcome === 'connected' || outcome === 'refused';
}
