import type { ManifestObject } from '../manifest/manifest-object.ts';
import type { Cluster, Namespace } from '../model/cluster.ts';
import { isFinished, type Pod } from '../model/pod.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PodsPeer, type Rule } from '../model/policy.ts';
import { selects } from '../model/selector.ts';

/** A policy, as it is written, and the pods that it selects. */
export interface PolicyView {
  readonly policy: NetworkPolicy;
  readonly object: ManifestObject;
  readonly subjects: readonly Pod[];
}

/** What rules look at. `pods` are those that policies can see once they have an address. */
export interface LintView {
  readonly cluster: Cluster;
  readonly objects: readonly ManifestObject[];
  readonly pods: readonly Pod[];
  readonly policies: readonly PolicyView[];
}

/** One rule of a policy. */
export interface RuleView extends PolicyView {
  readonly direction: Direction;
  readonly rule: Rule;
}

/** Cost: policies times the pods of their namespaces. @param objects those that the cluster was built of. */
export function lintView(cluster: Cluster, objects: readonly ManifestObject[]): LintView {
  const pods = cluster.pods.filter((pod) => !pod.hostNetwork && !isFinished(pod));
  const byNamespace = Map.groupBy(pods, ({ namespace }) => namespace);
  const written = new Map(
    objects.filter(({ kind }) => kind === 'NetworkPolicy').map((object) => [keyOf(object), object]),
  );
  const policies = cluster.policies.flatMap((policy): PolicyView[] => {
    const object = written.get(keyOf(policy));
    const own = byNamespace.get(policy.namespace) ?? [];
    const subjects = own.filter(({ labels }) => selects(policy.podSelector, labels));
    return object ? [{ policy, object, subjects }] : [];
  });
  return { cluster, objects, pods, policies };
}

/** Every rule that is in force, in both directions. */
export function rulesOf({ policies }: LintView): RuleView[] {
  return policies.flatMap((view) =>
    DIRECTIONS.flatMap((direction) => {
      const side = view.policy[direction];
      return side.kind === 'ignored' ? [] : side.rules.map((rule) => ({ ...view, direction, rule }));
    }),
  );
}

/** The namespaces that a peer is about. */
export function peerNamespaces({ cluster }: LintView, policy: NetworkPolicy, peer: PodsPeer): Namespace[] {
  const { namespaces } = peer;
  return [...cluster.namespaces.values()].filter(({ name, labels }) =>
    namespaces.kind === 'own' ? name === policy.namespace : selects(namespaces.selector, labels),
  );
}

/** The pods that a peer matches. */
export function peerPods(view: LintView, policy: NetworkPolicy, peer: PodsPeer): Pod[] {
  const names = new Set(peerNamespaces(view, policy, peer).map(({ name }) => name));
  return view.pods.filter(({ namespace, labels }) => names.has(namespace) && selects(peer.pods, labels));
}

/** The pods whose ports a rule is about; none if it is also about anything that is no pod. */
export function destinations(view: LintView, { policy, direction, rule, subjects }: RuleView): readonly Pod[] {
  if (direction === 'ingress') return subjects;
  if (rule.peers.kind === 'any') return [];
  const pods = rule.peers.peers.filter((peer) => peer.kind === 'pods');
  return pods.length < rule.peers.peers.length ? [] : pods.flatMap((peer) => peerPods(view, policy, peer));
}

function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
