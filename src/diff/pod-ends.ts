import type { Cluster } from '../model/cluster.ts';
import { declaredPorts, isEndpoint, podKey, workloadName, type Pod } from '../model/pod.ts';
import { policyContent, type Direction, type NetworkPolicy } from '../model/policy.ts';
import { selects } from '../model/selector.ts';
import type { Blocks } from './blocks.ts';
import type { PodPair, PodsEnd, Profile } from './ends.ts';

/** A cluster before and after. */
export interface Change {
  readonly before: Cluster;
  readonly after: Cluster;
}

/**
 * The pods that policies see both before and after, in the order of before: of one name, or else of one
 * workload, whose pods have other names after its template has changed. Of pods with one address, the first alone.
 */
export function podPairs({ before, after }: Change): PodPair[] {
  const were = addressOwners(before);
  const now = new Map(addressOwners(after).map((pod) => [podKey(pod), pod]));
  const named = new Map(were.flatMap((pod) => [[pod, now.get(podKey(pod))] as const]));
  const matched = new Set(named.values());
  const renamed = Map.groupBy(
    [...now.values()].filter((pod) => pod.owner.kind !== 'Pod' && !matched.has(pod)),
    workloadName,
  );
  return were.flatMap((pod): PodPair[] => {
    const other = named.get(pod) ?? renamed.get(workloadName(pod))?.shift();
    return other ? [{ key: podKey(other), before: pod, after: other }] : [];
  });
}

/** Endpoint pods whose addresses no pod before them has. */
function addressOwners({ pods }: Cluster): Pod[] {
  const taken = new Set<string>();
  return pods.filter(isEndpoint).filter((pod) => {
    const texts = addressTexts(pod);
    const isFirst = !texts.some((text) => taken.has(text));
    for (const text of texts) taken.add(text);
    return isFirst;
  });
}

/** The pods in sets that policies do not tell apart. Cost: pods times policies of their namespaces, and blocks. */
export function podEnds(change: Change, blocks: Blocks): PodsEnd[] {
  const changed = changedPolicies(change);
  const isSpecial = specialPods(change);
  const sides = [new Side(change.before, blocks), new Side(change.after, blocks)] as const;
  const ids = new Map([...change.before.policies, ...change.after.policies].map((policy, index) => [policy, index]));
  const profileOf = (selecting: Selecting, direction: Direction): Profile => {
    const isolating = selecting.filter((policy) => policy[direction].kind === 'isolates');
    const key = `${direction} ${isolating.map((policy) => ids.get(policy)).join()}`;
    return { key, sides: isolating.map((policy) => policy[direction]) };
  };
  const groups = new Map<string, PodsEnd & { readonly pods: PodPair[] }>();
  for (const pair of podPairs(change)) {
    const [was, is] = [sides[0].describe(pair.before), sides[1].describe(pair.after)];
    const special = isSpecial(pair);
    const key = JSON.stringify([was, is, special ? pair.key : '']);
    const known = groups.get(key);
    if (known) known.pods.push(pair);
    else {
      const selecting = [...sides[0].selecting(pair.before), ...sides[1].selecting(pair.after)];
      groups.set(key, {
        kind: 'pods',
        pods: [pair],
        profiles: { egress: profileOf(selecting, 'egress'), ingress: profileOf(selecting, 'ingress') },
        portNames: JSON.stringify([namedPorts(pair.before), namedPorts(pair.after)]),
        isChanged: special || was !== is,
        isTouched: { egress: touches(changed, selecting, 'egress'), ingress: touches(changed, selecting, 'ingress') },
      });
    }
  }
  return [...groups.values()];
}

/** The policies that select a pod, before and after. */
type Selecting = readonly NetworkPolicy[];

/** One of the clusters, and what policies can see of its pods. */
class Side {
  readonly #cluster: Cluster;
  readonly #blocks: Blocks;
  readonly #policies: ReadonlyMap<string, readonly NetworkPolicy[]>;

  constructor(cluster: Cluster, blocks: Blocks) {
    this.#cluster = cluster;
    this.#blocks = blocks;
    this.#policies = Map.groupBy(cluster.policies, ({ namespace }) => namespace);
  }

  selecting({ namespace, labels }: Pod): Selecting {
    return (this.#policies.get(namespace) ?? []).filter(({ podSelector }) => selects(podSelector, labels));
  }

  /** Equal for pods that no policy can tell apart. */
  describe(pod: Pod): string {
    const { namespace, addresses, labels } = pod;
    return JSON.stringify([
      namespace,
      [...labels].sort(byKey),
      [...(this.#cluster.namespaces.get(namespace)?.labels ?? [])].sort(byKey),
      namedPorts(pod),
      addresses.map((address) => [address.family, this.#blocks.covering(address)]).sort(),
    ]);
  }
}

/** Pods whose address or node has changed; all of them if a pod has a node's address, as it then matters on which node each is. */
function specialPods({ before, after }: Change): (pair: PodPair) => boolean {
  const pods = [...before.pods, ...after.pods];
  const nodes = new Set(pods.flatMap(nodeTexts));
  const nodesMatter = pods.filter(isEndpoint).some((pod) => addressTexts(pod).some((text) => nodes.has(text)));
  return (pair) =>
    nodesMatter ||
    addressTexts(pair.before).join() !== addressTexts(pair.after).join() ||
    nodeTexts(pair.before).join() !== nodeTexts(pair.after).join();
}

/** Policies of either side that the other one does not have just so. */
function changedPolicies({ before, after }: Change): ReadonlySet<NetworkPolicy> {
  const [was, is] = [before, after].map(
    ({ policies }) => new Map(policies.map((policy) => [policyContent(policy), policy])),
  );
  return new Set([
    ...[...(was ?? [])].flatMap(([content, policy]) => (is?.has(content) ? [] : [policy])),
    ...[...(is ?? [])].flatMap(([content, policy]) => (was?.has(content) ? [] : [policy])),
  ]);
}

function touches(changed: ReadonlySet<NetworkPolicy>, selecting: Selecting, direction: Direction): boolean {
  return selecting.some((policy) => policy[direction].kind === 'isolates' && changed.has(policy));
}

/** Named ports in the pod's order, of which the first of a name counts. */
function namedPorts(pod: Pod): readonly (string | number)[][] {
  return declaredPorts(pod).flatMap(({ name, protocol, port }) => (name === '' ? [] : [[name, protocol, port]]));
}

function addressTexts({ addresses }: Pod): string[] {
  return addresses.map(({ text }) => text);
}

function nodeTexts({ nodeAddresses }: Pod): string[] {
  return nodeAddresses.map(({ text }) => text);
}

function byKey([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1;
}
