import type { NearMiss } from '../model/near-miss.ts';
import { podKey } from '../model/pod.ts';
import { addition, ruleOf, type ManifestChange } from './manifest-change.ts';
import { peersField, type Permission } from './permission.ts';
import type { PolicyManifest } from './policy-manifest.ts';

const OF_PORTS: ReadonlySet<string> = new Set(['protocol', 'icmp', 'port', 'named-port']);

/**
 * Ways to change policies that isolate a pod so that one direction allows a connection: a peer or a port more in a rule
 * that lacks only that, a rule more.
 * @param misses of that direction.
 */
export function additions(
  permission: Permission,
  manifests: readonly PolicyManifest[],
  misses: readonly NearMiss[],
): ManifestChange[] {
  return manifests
    .flatMap((manifest) => {
      const own = misses.filter((miss) => podKey(miss) === podKey(manifest.policy));
      return [
        ...own.map((miss) => inRule(manifest, permission, miss)),
        addition(manifest, {
          path: ['spec', permission.direction],
          item: ruleOf(permission),
          what: `a rule more in ${permission.direction} of`,
        }),
      ];
    })
    .filter((change) => change !== undefined);
}

/** The rule with a peer or a port more, if it lacks nothing else. */
function inRule(
  manifest: PolicyManifest,
  { direction, peer, port }: Permission,
  { rule, differences }: NearMiss,
): ManifestChange | undefined {
  if (rule === null) return undefined;
  const path = ['spec', direction, rule];
  const where = `in ${direction}[${rule}] of`;
  const lacks = new Set(differences.map(({ kind }) => (OF_PORTS.has(kind) ? 'port' : 'peer')));
  if (lacks.size !== 1) return undefined;
  if (lacks.has('peer')) {
    return addition(manifest, { path: [...path, peersField(direction)], item: peer, what: `a peer more ${where}` });
  }
  return port ? addition(manifest, { path: [...path, 'ports'], item: port, what: `a port more ${where}` }) : undefined;
}
