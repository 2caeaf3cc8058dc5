import type { Cluster } from '../model/cluster.ts';
import { nearValue } from '../model/near-value.ts';
import type { NearMiss } from '../model/near-miss.ts';
import { podKey, type Pod } from '../model/pod.ts';
import type { Labels, Selector } from '../model/selector.ts';
import { correction, type ManifestChange } from './manifest-change.ts';
import { peersField } from './permission.ts';
import type { PolicyManifest } from './policy-manifest.ts';

/** The labels that a selector is about: whose, all there are, and those of the far end. */
interface Population {
  readonly selector: 'podSelector' | 'namespaceSelector';
  readonly nobody: string;
  readonly all: readonly Labels[];
  readonly far: Labels | undefined;
}

/**
 * Ways to put right a rule that names a label's value nobody has, where the far end has the nearest value there is: one
 * value in `matchLabels` each, in files of the user's. They deny nothing, as that value was nobody's; whether one is
 * enough for the connection is not asked. The misses are those of the direction.
 */
export function corrections(
  cluster: Cluster,
  far: Pod | undefined,
  { manifests, misses }: { readonly manifests: readonly PolicyManifest[]; readonly misses: readonly NearMiss[] },
): ManifestChange[] {
  if (!far) return [];
  const populations = populationsFor(cluster, far);
  return manifests
    .filter(({ isOwn }) => isOwn)
    .flatMap((manifest) => {
      const own = misses.filter((miss) => podKey(miss) === podKey(manifest.policy));
      return own.flatMap((miss) => inRule(manifest, miss, populations));
    })
    .filter((change) => change !== undefined);
}

type Populations = Readonly<Record<'pods' | 'namespaces', Population>>;

function populationsFor({ pods, namespaces }: Cluster, far: Pod): Populations {
  const all = (owners: Iterable<{ readonly labels: Labels }>): Labels[] => Array.from(owners, ({ labels }) => labels);
  return {
    pods: { selector: 'podSelector', nobody: 'no pod', all: all(pods), far: far.labels },
    namespaces: {
      selector: 'namespaceSelector',
      nobody: 'no namespace',
      all: all(namespaces.values()),
      far: namespaces.get(far.namespace)?.labels,
    },
  };
}

function inRule(
  manifest: PolicyManifest,
  { direction, rule }: NearMiss,
  { pods, namespaces }: Populations,
): (ManifestChange | undefined)[] {
  const side = manifest.policy[direction];
  const peers = side.kind === 'isolates' ? side.rules.find(({ index }) => index === rule)?.peers : undefined;
  if (rule === null || peers?.kind !== 'list') return [];
  return peers.peers.flatMap((peer, index) => {
    if (peer.kind !== 'pods') return [];
    const ofNamespaces = peer.namespaces.kind === 'selected' ? typosIn(peer.namespaces.selector, namespaces) : [];
    return [...typosIn(peer.pods, pods), ...ofNamespaces].map(({ selector, nobody, key, wrong, right }) =>
      correction(manifest, {
        path: ['spec', direction, rule, peersField(direction), index, selector, 'matchLabels', key],
        value: right,
        what: `${key}=${right} instead of ${key}=${wrong}, which ${nobody} has, in ${direction}[${rule}] of`,
      }),
    );
  });
}

interface Typo extends Pick<Population, 'selector' | 'nobody'> {
  readonly key: string;
  readonly wrong: string;
  readonly right: string;
}

function typosIn({ requirements }: Selector, { selector, nobody, all, far }: Population): Typo[] {
  return requirements.flatMap(({ key, operator, values: [wrong, ...more] }) => {
    if (operator !== 'In' || wrong === undefined || more.length > 0) return [];
    const right = nearValue(key, wrong, all);
    return right !== undefined && right === far?.get(key) ? [{ selector, nobody, key, wrong, right }] : [];
  });
}
