import type { DirectionVerdict, Verdict } from '../../src/model/verdict.ts';

/**
 * A verdict in text: `not-isolated`, `itself`, `node`, `rules x/p#0 x/q#2` (namespace, policy,
 * index of the rule), `no-rule x/p x/q`.
 */
export interface VerdictText {
  readonly allowed: boolean;
  readonly egress: string;
  readonly ingress: string;
}

/** The verdict in text, everything that it says included. */
export function verdictText({ allowed, egress, ingress }: Verdict): VerdictText {
  return { allowed, egress: directionText(egress), ingress: directionText(ingress) };
}

function directionText(verdict: DirectionVerdict): string {
  switch (verdict.kind) {
    case 'not-isolated':
    case 'itself':
    case 'node':
      return verdict.kind;
    case 'rules':
      return [
        verdict.kind,
        ...verdict.matches.map(({ policy, rule }) => `${policy.namespace}/${policy.name}#${rule.index}`),
      ].join(' ');
    case 'no-rule':
      return [verdict.kind, ...verdict.policies.map(({ namespace, name }) => `${namespace}/${name}`)].join(' ');
  }
}
