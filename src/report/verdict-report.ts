import type { DirectionReport, PolicyRef, VerdictReport } from '../flows/flow-event.ts';
import type { Cluster } from '../model/cluster.ts';
import type { NearMiss } from '../model/near-miss.ts';
import type { Direction } from '../model/policy.ts';
import { allows, type DirectionVerdict, type RuleMatch, type Verdict } from '../model/verdict.ts';

/** The verdict as commands report it. The line is the rule's where a rule allowed, else the policy's. */
export function verdictReport(verdict: Verdict): VerdictReport {
  return {
    verdict: verdict.allowed ? 'allow' : 'deny',
    egress: directionReport(verdict.egress),
    ingress: directionReport(verdict.ingress),
  };
}

/** The verdict with what is to be said with all verdicts of its cluster. */
export function withCaveat<Report extends VerdictReport>(report: Report, { caveat }: Pick<Cluster, 'caveat'>): Report {
  return caveat === undefined ? report : { ...report, caveat };
}

/** The verdict with the nearest miss of each direction that denies. @param misses nearest first. */
export function withNearest(report: VerdictReport, misses: readonly NearMiss[]): VerdictReport {
  const { egress, ingress } = report;
  return { ...report, egress: nearestOf(egress, 'egress', misses), ingress: nearestOf(ingress, 'ingress', misses) };
}

/** One direction's verdict with its nearest miss, if there is one. @param misses nearest first. */
export function nearestOf(report: DirectionReport, direction: Direction, misses: readonly NearMiss[]): DirectionReport {
  const nearest = misses.find((miss) => miss.direction === direction);
  return nearest ? { ...report, nearest } : report;
}

/** The verdict of one direction. Without policies an isolated pod talks to itself or with its own node. */
export function directionReport(verdict: DirectionVerdict): DirectionReport {
  return {
    verdict: allows(verdict) ? 'allow' : 'deny',
    isolated: verdict.kind !== 'not-isolated',
    policies: policiesOf(verdict),
  };
}

function policiesOf(verdict: DirectionVerdict): PolicyRef[] {
  switch (verdict.kind) {
    case 'not-isolated':
    case 'itself':
    case 'node':
      return [];
    case 'rules':
      return verdict.matches.map(ruleRef);
    case 'no-rule':
      return verdict.policies.map(({ namespace, name, source: { file, line } }) => {
        return { namespace, name, rule: null, file, line };
      });
  }
}

/** A rule that allowed, at its own line. */
export function ruleRef({ policy: { namespace, name }, rule: { index, source } }: RuleMatch): PolicyRef {
  return { namespace, name, rule: index, file: source.file, line: source.line };
}
