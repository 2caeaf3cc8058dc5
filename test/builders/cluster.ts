import type { Cluster, Namespace } from '../../src/model/cluster.ts';
import type { Pod } from '../../src/model/pod.ts';
import type { NetworkPolicy } from '../../src/model/policy.ts';
import type { Service } from '../../src/model/service.ts';
import { labels } from './selector.ts';

/** A cluster in short. Namespaces that pods and policies name and that are not given are added. */
export interface ClusterNotation {
  readonly namespaces?: readonly Namespace[];
  readonly pods?: readonly Pod[];
  readonly services?: readonly Service[];
  readonly policies?: readonly NetworkPolicy[];
}

/** A namespace with these labels, and the one that every namespace carries. */
export function namespace(name: string, pairs: Readonly<Record<string, string>> = {}): Namespace {
  return { name, labels: labels({ ...pairs, 'kubernetes.io/metadata.name': name }) };
}

/** A cluster of these objects. */
export function cluster({ namespaces = [], pods = [], services = [], policies = [] }: ClusterNotation): Cluster {
  const used = [...pods, ...services, ...policies].map((object) => namespace(object.namespace));
  return {
    namespaces: new Map([...used, ...namespaces].map((each) => [each.name, each])),
    pods,
    services,
    policies,
  };
}
