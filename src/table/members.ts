import type { Cluster } from '../model/cluster.ts';
import type { PodsPeer } from '../model/policy.ts';
import type { Labels, Selector } from '../model/selector.ts';
import { getOrMake } from './get-or-make.ts';
import type { Identity } from './identities.ts';
import { LabelIndex } from './label-index.ts';

/** Which identities selectors select. Each selector is evaluated once for each namespace that it applies to. */
export class Members {
  readonly #namespaces: LabelIndex;
  readonly #names: readonly string[];
  readonly #inNamespace: ReadonlyMap<string, LabelIndex>;

  constructor(cluster: Cluster, identities: readonly Identity[]) {
    const labels = new Map<string, Map<number, Labels>>();
    for (const identity of identities) {
      getOrMake(labels, identity.namespace, () => new Map<number, Labels>()).set(identity.id, identity.labels);
    }
    this.#inNamespace = new Map([...labels].map(([name, some]) => [name, new LabelIndex(some)]));
    this.#names = [...labels.keys()];
    this.#namespaces = new LabelIndex(new Map(this.#names.map((name, id) => [id, namespaceLabels(cluster, name)])));
  }

  /** Identities of one namespace. */
  inNamespace(namespace: string, selector: Selector): readonly number[] {
    return this.#inNamespace.get(namespace)?.select(selector) ?? [];
  }

  /** Identities that the peer of a policy in namespace `own` selects. */
  ofPeer(peer: PodsPeer, own: string): readonly number[] {
    if (peer.namespaces.kind === 'own') return this.inNamespace(own, peer.pods);
    const namespaces = this.#namespaces.select(peer.namespaces.selector);
    return namespaces.flatMap((id) => this.inNamespace(this.#names[id] ?? '', peer.pods));
  }
}

const NO_LABELS: Labels = new Map();

/** The labels of a namespace. */
export function namespaceLabels(cluster: Cluster, name: string): Labels {
  return cluster.namespaces.get(name)?.labels ?? NO_LABELS;
}
