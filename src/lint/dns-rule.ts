import { declaredPorts, podKey, type Pod } from '../model/pod.ts';
import type { NetworkPolicy, Peer, PolicyPort, Rule } from '../model/policy.ts';
import { selects } from '../model/selector.ts';
import { selectorContains } from './containment.ts';
import { inPolicy, type Found } from './finding.ts';
import { peerPods, type LintView, type PolicyView } from './lint-view.ts';

const DNS_PORT = 53;
const DNS_NAMESPACE = 'kube-system';
const DNS_LABELS = new Map([['k8s-app', 'kube-dns']]); // of CoreDNS, too, in every common distribution

/**
 * Policies that let pods out to others by name, and not to the name server: rules for pods, or for
 * anybody. Those for addresses alone need no names.
 */
export function egressWithoutDns(view: LintView): Found[] {
  return view.policies.flatMap((each) => {
    const { policy, object, subjects } = each;
    if (policy.namespace === DNS_NAMESPACE || !egressRules(policy).some(needsNames)) return [];
    const without = subjects.find((pod) => !mayResolve(view, policiesOf(view, pod)));
    const affected = subjects.length === 0 ? !mayResolve(view, containing(view, each)) : without !== undefined;
    if (!affected) return [];
    const who = without ? podKey(without) : 'a pod that it selects';
    const source = { file: object.source.file, line: object.lineOf(['spec', 'egress']) };
    return inPolicy(policy, source, {
      severity: 'warning',
      message: `${who} may reach others, and may not ask the name server: no policy allows egress to port 53/UDP`,
      why: 'an isolated pod reaches only what a rule allows, and the name server is a pod as well: connections by name fail before they begin',
      fix: `allow egress to ports 53/UDP and 53/TCP of namespace ${DNS_NAMESPACE}, pods k8s-app=kube-dns`,
    });
  });
}

/** Whether what the rule allows is likely reached by name. */
function needsNames({ peers }: Rule): boolean {
  return peers.kind === 'any' || peers.peers.some(({ kind }) => kind === 'pods');
}

function mayResolve(view: LintView, policies: readonly NetworkPolicy[]): boolean {
  return policies.some((policy) => egressRules(policy).some((rule) => allowsDns(view, policy, rule)));
}

/** Whether the rule lets through to some name server; in doubt it does. */
function allowsDns(view: LintView, policy: NetworkPolicy, { peers, ports }: Rule): boolean {
  if (ports.kind === 'list' && !ports.ports.some(isDnsPort)) return false;
  return peers.kind === 'any' || peers.peers.some((peer) => mayBeNameServer(view, policy, peer));
}

function isDnsPort({ protocol, port }: PolicyPort): boolean {
  if (protocol !== 'UDP') return false;
  return port.kind !== 'range' || (port.first <= DNS_PORT && DNS_PORT <= port.last);
}

function mayBeNameServer(view: LintView, policy: NetworkPolicy, peer: Peer): boolean {
  if (peer.kind === 'block') return true;
  const pods = peerPods(view, policy, peer);
  if (pods.some((pod) => pod.namespace === DNS_NAMESPACE || servesDns(pod))) return true;
  if (peer.namespaces.kind === 'own') return false;
  const labels = view.cluster.namespaces.get(DNS_NAMESPACE)?.labels ?? new Map<string, string>();
  return selects(peer.namespaces.selector, labels) && selects(peer.pods, DNS_LABELS);
}

function servesDns(pod: Pod): boolean {
  return declaredPorts(pod).some(({ protocol, port }) => protocol === 'UDP' && port === DNS_PORT);
}

function policiesOf({ policies }: LintView, pod: Pod): NetworkPolicy[] {
  return policies.filter(({ subjects }) => subjects.includes(pod)).map(({ policy }) => policy);
}

/** The policies that select all that this one does, itself too. */
function containing({ policies }: LintView, { policy }: PolicyView): NetworkPolicy[] {
  return policies
    .map((other) => other.policy)
    .filter((other) => other.namespace === policy.namespace && selectorContains(other.podSelector, policy.podSelector));
}

function egressRules({ egress }: NetworkPolicy): readonly Rule[] {
  return egress.kind === 'isolates' ? egress.rules : [];
}
