import type { ChangeSet } from '../../apiserver/change-set.ts';
import { nameOf, namespaceOf } from '../../apiserver/api-object.ts';
import { POLICY, STAGED_POLICY } from '../../apiserver/staged-policy.ts';
import type { Cluster } from '../../model/cluster.ts';
import { podKey } from '../../model/pod.ts';
import type { NetworkPolicy } from '../../model/policy.ts';

/** Ends the staging of a policy, if it is staged. @returns whether it was. */
export function endStaging(set: ChangeSet, { namespace, name }: Pick<NetworkPolicy, 'namespace' | 'name'>): boolean {
  const staged = set.get(STAGED_POLICY, namespace, name);
  if (staged) set.remove(STAGED_POLICY, staged);
  return staged !== undefined;
}

/** Ends the staging of all policies that the set enforces, changes or deletes. */
export function endStagingOfChanged(set: ChangeSet): void {
  for (const { resource, before, after } of set.changes) {
    const object = after ?? before;
    if (resource === POLICY && object) endStaging(set, { namespace: namespaceOf(object), name: nameOf(object) });
  }
}

/** The cluster as it would be with the staged policies, each in the place of the one of its name. */
export function withStaged(cluster: Cluster, staged: ReadonlyMap<string, NetworkPolicy>): Cluster {
  const known = new Set(cluster.policies.map(podKey));
  const others = [...staged].flatMap(([key, policy]) => (known.has(key) ? [] : [policy]));
  const policies = cluster.policies.map((policy) => staged.get(podKey(policy)) ?? policy);
  return { ...cluster, policies: [...policies, ...others] };
}
