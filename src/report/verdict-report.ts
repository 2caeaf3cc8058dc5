import type { DirectionReport, PolicyRef, VerdictReport } from '../flows/flow-event.ts';
import type { NetworkPolicy } from '../model/policy.ts';
import { allows, type DirectionVerdict, type Verdict } from '../model/verdict.ts';

/** The verdict as commands report it. The line is the rule's where a rule allowed, else the policy's. */
export function verdictReport(verdict: Verdict): VerdictReport {
  return {
    verdict: verdict.allowed ? 'allow' : 'deny',
    egress: directionReport(verdict.egress),
    ingress: directionReport(verdict.ingress),
  };
}

/** The verdict of one direction. Without policies an isolated pod talks to itself or with its own node. */
function directionReport(verdict: DirectionVerdict): DirectionReport {
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
      return verdict.matches.map(({ policy, rule }) => policyRef(policy, { ...rule.source, rule: rule.index }));
    case 'no-rule':
      return verdict.policies.map((policy) => policyRef(policy, { ...policy.source, rule: null }));
  }
}

function policyRef(
  { namespace, name }: NetworkPolicy,
  { rule, file, line }: { rule: number | null; file: string; line: number },
): PolicyRef {
  return { namespace, name, rule, file, line };
}
