import type { NetworkPolicy, Direction, Rule } from '../model/policy.ts';
import type { Source } from '../model/source.ts';

/** `warning`: most likely a mistake. `info`: worth a look, and often meant. */
export type Severity = 'warning' | 'info';

/**
 * Something in manifests that is valid and hardly what its author meant. `kind`, `namespace` and `name`
 * are of the object that it is in; a Namespace has its own name in both.
 */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly file: string;
  readonly line: number;
  readonly kind: 'NetworkPolicy' | 'Namespace';
  readonly namespace: string;
  readonly name: string;
  /** What is there. */
  readonly message: string;
  /** Why it matters. */
  readonly why: string;
  /** What to do. */
  readonly fix: string;
}

/** What a rule finds: everything but the rule's own id. */
export type Found = Omit<Finding, 'rule'>;

/** A finding in a policy, at the source of the part that it is about. */
export function inPolicy(
  { namespace, name }: NetworkPolicy,
  { file, line }: Source,
  said: Pick<Finding, 'severity' | 'message' | 'why' | 'fix'>,
): Found {
  return { ...said, file, line, kind: 'NetworkPolicy', namespace, name };
}

/** A rule as messages name it: `ingress[0]`. */
export function ruleText(direction: Direction, { index }: Pick<Rule, 'index'>): string {
  return `${direction}[${index}]`;
}
