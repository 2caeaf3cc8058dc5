import type { Cluster } from '../model/cluster.ts';
import type { Difference } from '../model/near-miss.ts';
import { podKey, type Pod } from '../model/pod.ts';
import type { BlockPeer, NetworkPolicy, Peer, PodsPeer } from '../model/policy.ts';
import { selectorText, type Requirement } from '../model/selector.ts';
import type { IpAddress } from '../net/ip.ts';
import { contains } from '../net/prefix.ts';
import { labelMisses, labelMissText, type LabelMiss } from './label-misses.ts';

/** The far end, as seen from the pod that a policy selects. `pod` is undefined if policies see none there. */
export interface FarEnd {
  readonly cluster: Cluster;
  readonly address: IpAddress;
  readonly pod: Pod | undefined;
}

/** What would have to differ for the far end to be this peer of the policy; nothing if it is. */
export function peerDifferences(peer: Peer, policy: NetworkPolicy, { cluster, address, pod }: FarEnd): Difference[] {
  if (peer.kind === 'block') return blockDifferences(peer, address);
  if (!pod) {
    return [{ kind: 'no-pod', text: `rule wants pods, ${address.text} is none to policies`, address: address.text }];
  }
  return [
    ...namespaceDifferences(peer.namespaces, { policy, pod, cluster }),
    ...labelMisses(peer.pods, pod.labels).map((miss) => podLabelDifference(miss, pod)),
  ];
}

function blockDifferences({ cidr, except }: BlockPeer, address: IpAddress): Difference[] {
  const fact = { address: address.text, block: cidr.text };
  if (!contains(cidr, address)) {
    const why = cidr.family === address.family ? '' : `, which is IPv${cidr.family} only`;
    return [{ kind: 'block', text: `${fact.address} is outside ${fact.block}${why}`, ...fact }];
  }
  const excepts = except.filter((hole) => contains(hole, address)).map(({ text }) => text);
  if (excepts.length === 0) return [];
  const text = `${fact.address} is in ${fact.block} but excepted by ${excepts.join(' and ')}`;
  return [{ kind: 'except', text, ...fact, excepts }];
}

function podLabelDifference(miss: LabelMiss, pod: Pod): Difference {
  const { key, actual, requirements, enough } = miss;
  if (enough === undefined) return contradiction(requirements, 'no pod');
  const text = labelMissText(podKey(pod), miss);
  return { kind: 'label', text, pod: podKey(pod), key, actual, requirements, enough };
}

const NAME_LABEL = 'kubernetes.io/metadata.name'; // every namespace has it, and cannot change it

function namespaceDifferences(
  namespaces: PodsPeer['namespaces'],
  { policy, pod, cluster }: { policy: NetworkPolicy; pod: Pod; cluster: Cluster },
): Difference[] {
  const place = { pod: podKey(pod), actual: pod.namespace };
  if (namespaces.kind === 'own') {
    if (pod.namespace === policy.namespace) return [];
    const text = `${place.pod} is in namespace ${place.actual}, rule wants pods of its own, ${policy.namespace}`;
    return [{ kind: 'namespace', text, ...place, enough: policy.namespace }];
  }
  const labels = cluster.namespaces.get(pod.namespace)?.labels ?? new Map<string, string>();
  return labelMisses(namespaces.selector, labels, NAME_LABEL).map((miss) => {
    const { key, actual, requirements, enough } = miss;
    if (enough === undefined) return contradiction(requirements, 'no namespace');
    if (key === NAME_LABEL && enough !== null) {
      const text = `${place.pod} is in namespace ${place.actual}, rule wants ${selectorText({ requirements })}`;
      return { kind: 'namespace', text, ...place, enough };
    }
    const text = labelMissText(`namespace ${pod.namespace}`, miss);
    return { kind: 'namespace-label', text, namespace: pod.namespace, key, actual, requirements, enough };
  });
}

function contradiction(requirements: readonly Requirement[], nobody: string): Difference {
  const text = `${nobody} can meet ${selectorText({ requirements })}`;
  return { kind: 'contradiction', text, requirements };
}
