import type { Pod } from '../model/pod.ts';
import { podKey } from '../model/pod.ts';
import type { NetworkPolicy, PodsPeer } from '../model/policy.ts';
import { selects, selectorText } from '../model/selector.ts';
import { dashPairs } from './dash-rule.ts';
import { inPolicy, ruleText, type Found } from './finding.ts';
import { peerNamespaces, rulesOf, type LintView, type RuleView } from './lint-view.ts';
import { nearLabel } from './near-label.ts';

const NOT_ENFORCED = 'a policy that selects no pod changes nothing, and nobody says so';
const LETS_NOBODY = 'a peer that matches nobody allows nothing, so the rule is narrower than it reads';

/** A selector that matches nobody, and the label nearby that it may have meant; undefined if none is near. */
interface Mismatch {
  readonly found: Found;
  readonly near: string | undefined;
}

/** Policies that select no pod, with nothing that they may have meant. */
export function selectsNothing(view: LintView): Found[] {
  return subjectMismatches(view).flatMap(({ found, near }) => (near === undefined ? [found] : []));
}

/** Peers that match no pod or no namespace, with nothing that they may have meant. */
export function peerMatchesNothing(view: LintView): Found[] {
  return peerMismatches(view).flatMap(({ found, near }) => (near === undefined ? [found] : []));
}

/** Selectors that match nobody, and nearly match somebody. */
export function labelTypo(view: LintView): Found[] {
  return [...subjectMismatches(view), ...peerMismatches(view)].flatMap(({ found, near }) =>
    near === undefined ? [] : [{ ...found, severity: 'warning', fix: `did you mean ${near}?` }],
  );
}

function subjectMismatches({ pods, policies }: LintView): Mismatch[] {
  if (pods.length === 0) return [];
  return policies
    .filter(({ subjects }) => subjects.length === 0)
    .map(({ policy, object }) => {
      const { namespace, podSelector } = policy;
      const source = { file: object.source.file, line: object.lineOf(['spec', 'podSelector']) };
      const own = pods.filter((pod) => pod.namespace === namespace);
      const everything = podSelector.requirements.length === 0;
      const message =
        own.length === 0
          ? `namespace ${namespace} has no pods for it to select`
          : `podSelector ${selectorText(podSelector)} selects no pod of namespace ${namespace}`;
      const elsewhere = pods.find(({ labels }) => !everything && selects(podSelector, labels));
      const fix = elsewhere
        ? `${podKey(elsewhere)} has these labels: set metadata.namespace to ${elsewhere.namespace}`
        : 'label the pods that it is for, or mend the selector';
      const severity = own.length === 0 && everything ? 'info' : 'warning';
      return {
        found: inPolicy(policy, source, { severity, message, why: NOT_ENFORCED, fix }),
        near: nearLabel(podSelector, own.map(labelsOf)),
      };
    });
}

function peerMismatches(view: LintView): Mismatch[] {
  if (view.pods.length === 0) return [];
  return rulesOf(view).flatMap((each) => {
    const { peers } = each.rule;
    if (peers.kind === 'any') return [];
    const dashed = new Set(dashPairs(view, each).flatMap(({ pods, meant }) => (meant ? [pods] : [])));
    return peers.peers.flatMap((peer) =>
      peer.kind === 'pods' && !dashed.has(peer) ? peerMismatch(view, each, peer) : [],
    );
  });
}

function peerMismatch(view: LintView, { policy, direction, rule }: RuleView, peer: PodsPeer): Mismatch[] {
  const namespaces = peerNamespaces(view, policy, peer);
  const place = ruleText(direction, rule);
  if (peer.namespaces.kind === 'selected' && namespaces.length === 0) {
    const { selector } = peer.namespaces;
    const message = `${place}: namespaceSelector ${selectorText(selector)} matches no namespace of these manifests`;
    const fix = 'label the namespace, mend the selector, or add the namespace to the manifests that are linted';
    const near = nearLabel(selector, [...view.cluster.namespaces.values()].map(labelsOf));
    // It may well be there and only not in these files.
    return [{ found: inPolicy(policy, peer.source, { severity: 'info', message, why: LETS_NOBODY, fix }), near }];
  }
  const names = new Set(namespaces.map(({ name }) => name));
  const candidates = view.pods.filter(({ namespace }) => names.has(namespace));
  // What runs in a namespace without pods is not known here.
  if (candidates.length === 0 || candidates.some(({ labels }) => selects(peer.pods, labels))) return [];
  const where = peer.namespaces.kind === 'own' ? `namespace ${policy.namespace}` : 'these namespaces';
  const message = `${place}: podSelector ${selectorText(peer.pods)} matches no pod of ${where}`;
  const fix = elsewhereText(view.pods, policy, peer) ?? 'label the pods that are meant, or mend the selector';
  return [
    {
      found: inPolicy(policy, peer.source, { severity: 'warning', message, why: LETS_NOBODY, fix }),
      near: nearLabel(peer.pods, candidates.map(labelsOf)),
    },
  ];
}

/** That pods of another namespace would match, for a peer without a namespaceSelector. */
function elsewhereText(pods: readonly Pod[], policy: NetworkPolicy, peer: PodsPeer): string | undefined {
  if (peer.namespaces.kind !== 'own') return undefined;
  const other = pods.find(({ namespace, labels }) => namespace !== policy.namespace && selects(peer.pods, labels));
  return other && `${podKey(other)} has these labels: add a namespaceSelector to the same item`;
}

function labelsOf<Owner extends { readonly labels: unknown }>({ labels }: Owner): Owner['labels'] {
  return labels;
}
