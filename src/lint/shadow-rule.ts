import { peersContain, portsContain, selectorContains } from './containment.ts';
import { inPolicy, ruleText, type Found } from './finding.ts';
import { rulesOf, type LintView, type RuleView } from './lint-view.ts';

/** Rules that add nothing: another rule for the same pods allows all that they allow. Of two that are alike, the later one. */
export function shadowedRule(view: LintView): Found[] {
  const groups = Map.groupBy(rulesOf(view), ({ policy, direction }) => `${direction} ${policy.namespace}`);
  return [...groups.values()].flatMap((rules) =>
    rules.flatMap((rule, index) => {
      const by = rules.find((other, at) => at !== index && covers(other, rule) && (at < index || !covers(rule, other)));
      return by ? [shadowFinding(rule, by)] : [];
    }),
  );
}

/** Whether the outer rule allows all that the inner one does, to all pods that the inner one is for. */
function covers(outer: RuleView, inner: RuleView): boolean {
  return (
    selectorContains(outer.policy.podSelector, inner.policy.podSelector) &&
    portsContain(outer.rule.ports, inner.rule.ports) &&
    peersContain(outer.rule.peers, inner.rule.peers)
  );
}

function shadowFinding({ policy, direction, rule }: RuleView, by: RuleView): Found {
  const { file, line } = by.rule.source;
  const other =
    by.policy === policy ? ruleText(direction, by.rule) : `${by.policy.name} ${ruleText(direction, by.rule)}`;
  return inPolicy(policy, rule.source, {
    severity: 'warning',
    message: `${ruleText(direction, rule)} adds nothing: ${other} (${file}:${line}) allows all of it`,
    why: 'rules and policies only add up, so either this rule can go, or the other one allows more than was meant',
    fix: 'take it out, or make the other rule narrower',
  });
}
