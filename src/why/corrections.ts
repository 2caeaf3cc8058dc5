import type { Cluster } from '../model/cluster.ts';
import { nearValue } from '../model/near-value.ts';
import type { Pod } from '../model/pod.ts';
import type { Direction, Rule } from '../model/policy.ts';
import type { Labels, Selector } from '../model/selector.ts';
import { correction, type ManifestChange } from './manifest-change.ts';
import { peersField, type Permission } from './permission.ts';
import type { PolicyManifest } from './policy-manifest.ts';

/** The labels that a selector is about: whose, all there are, and those of the far end. */
interface Population {
  readonly selector: 'podSelector' | 'namespaceSelector';
  readonly nobody: string;
  readonly all: readonly Labels[];
  readonly far: Labels | undefined;
}

/**
 * Ways to put right rules of these policies that name a label's value nobody has, where the far end has the nearest value
 * there is: one value in `matchLabels` each. They deny nothing, as that value was nobody's; whether one is enough for the
 * connection is not asked.
 */
export function corrections(
  cluster: Cluster,
  { direction, far }: Permission,
  manifests: readonly PolicyManifest[],
): ManifestChange[] {
  if (!far) return [];
  const populations = populationsFor(cluster, far);
  return manifests
    .flatMap((manifest) => {
      const side = manifest.policy[direction];
      const rules = side.kind === 'isolates' ? side.rules : [];
      return rules.flatMap((rule) => inRule(manifest, { direction, rule }, populations));
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
  { direction, rule }: { readonly direction: Direction; readonly rule: Rule },
  { pods, namespaces }: Populations,
): (ManifestChange | undefined)[] {
  const { index: number, peers } = rule;
  if (peers.kind === 'any') return [];
  return peers.peers.flatMap((peer, index) => {
    if (peer.kind !== 'pods') return [];
    const ofNamespaces = peer.namespaces.kind === 'selected' ? typosIn(peer.namespaces.selector, namespaces) : [];
    return [...typosIn(peer.pods, pods), ...ofNamespaces].map(({ selector, nobody, key, wrong, right }) =>
      correction(manifest, {
        path: ['spec', direction, number, peersField(direction), index, selector, 'matchLabels', key],
        value: right,
        what: `${key}=${right} instead of ${key}=${wrong}, which ${nobody} has, in ${direction}[${number}] of`,
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
    const right = far?.get(key);
    if (operator !== 'In' || right === undefined || wrong === undefined || more.length > 0) return [];
    return nearValue(key, wrong, all) === right ? [{ selector, nobody, key, wrong, right }] : [];
  });
}
