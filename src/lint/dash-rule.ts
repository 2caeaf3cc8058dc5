import { selectorText } from '../model/selector.ts';
import type { PodsPeer } from '../model/policy.ts';
import { inPolicy, ruleText, type Found } from './finding.ts';
import { peerPods, rulesOf, type LintView, type RuleView } from './lint-view.ts';

/** An item of only a namespaceSelector and, right behind it, one of only a podSelector. */
interface DashPair {
  readonly namespaces: PodsPeer;
  readonly pods: PodsPeer;
  /** Whether the labels say that one item was meant: the pods are in those namespaces and not in the policy's own. */
  readonly meant: boolean;
}

/** Pairs of items of a rule that may have been meant as one. */
export function dashPairs(view: LintView, { policy, rule }: RuleView): DashPair[] {
  if (rule.peers.kind === 'any') return [];
  const { peers } = rule.peers;
  return peers.flatMap((pods, index) => {
    const before = peers[index - 1];
    if (before?.kind !== 'pods' || pods.kind !== 'pods') return [];
    const onlyNamespaces = before.namespaces.kind === 'selected' && before.pods.requirements.length === 0;
    const onlyPods = pods.namespaces.kind === 'own' && pods.pods.requirements.length > 0;
    if (!onlyNamespaces || !onlyPods) return [];
    const asOne: PodsPeer = { ...pods, namespaces: before.namespaces };
    const meant = peerPods(view, policy, pods).length === 0 && peerPods(view, policy, asOne).length > 0;
    return [{ namespaces: before, pods, meant }];
  });
}

/** The dash that turns AND into OR. */
export function andOrDash(view: LintView): Found[] {
  return rulesOf(view).flatMap((each) => dashPairs(view, each).map((pair) => dashFinding(each, pair)));
}

function dashFinding({ policy, direction, rule }: RuleView, { namespaces, pods, meant }: DashPair): Found {
  const inNamespaces = namespaces.namespaces.kind === 'selected' ? selectorText(namespaces.namespaces.selector) : '';
  const which = inNamespaces === '' ? 'every namespace' : `namespaces with ${inNamespaces}`;
  const podText = selectorText(pods.pods);
  const evidence = meant ? `; no pod of ${policy.namespace} has ${podText}, pods of those namespaces do` : '';
  return inPolicy(policy, pods.source, {
    severity: meant ? 'warning' : 'info',
    message: `${ruleText(direction, rule)}: two items, so either one is enough${evidence}`,
    why: `it allows every pod of ${which}, and pods with ${podText} of ${policy.namespace}; one item would allow only pods with ${podText} of ${which}`,
    fix: `if both were meant to hold, take the dash away before podSelector; else silence this`,
  });
}
