import type { Rule } from '../model/policy.ts';
import type { DirectionVerdict, RuleMatch } from '../model/verdict.ts';
import { directionReport, ruleRef } from './verdict-report.ts';

// Rules never change, and a million verdicts are for the same few of them.
const refs = new WeakMap<Rule, string>();

/** The verdict of one direction as JSON: the text of its report. Quick for rules that have been written before. */
export function directionJson(verdict: DirectionVerdict): string {
  if (verdict.kind !== 'rules') return JSON.stringify(directionReport(verdict));
  return `{"verdict":"allow","isolated":true,"policies":[${verdict.matches.map(refJson).join()}]}`;
}

function refJson(match: RuleMatch): string {
  const known = refs.get(match.rule);
  if (known !== undefined) return known;
  const text = JSON.stringify(ruleRef(match));
  refs.set(match.rule, text);
  return text;
}
