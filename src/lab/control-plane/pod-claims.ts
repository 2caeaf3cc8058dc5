import {
  listAt,
  namespaceOf,
  objectAt,
  textAt,
  textMapAt,
  uidOf,
  withMetadata,
  type ApiObject,
} from '../../apiserver/api-object.ts';
import type { ChangeSet } from '../../apiserver/change-set.ts';
import { withoutOwner } from '../../apiserver/owner-index.ts';
import { servedKind } from '../../apiserver/registry.ts';
import { selectorOf, selectorOfLabels } from '../../manifest/selector.ts';
import { selects, type Selector } from '../../model/selector.ts';
import { controllerOf, controllerReference, ownerReference } from './owner.ts';
import { isOver } from './workload-pods.ts';

const POD = servedKind('v1', 'Pod');
// A pod of other workloads has a name that no other can have while it is there.
const CLAIMANTS = [servedKind('apps/v1', 'ReplicaSet'), servedKind('v1', 'ReplicationController')];

/**
 * Makes the pods of ReplicaSets and ReplicationControllers be those that they select: one with other labels is let go,
 * one that nothing looks after is taken. Source: PodControllerRefManager, pkg/controller. Cost: a look at each changed
 * pod; at each pod if a workload is new; at each workload if a pod is new or has other metadata.
 */
export function claimPods(set: ChangeSet): void {
  for (const { resource, after } of set.changes) if (resource === POD && after) letGo(set, after);
  const orphans = set.changes.flatMap(({ resource, before, after }) =>
    // A status leaves the metadata the same object.
    resource === POD && after && before?.metadata !== after.metadata && isOrphan(after) ? after : [],
  );
  const claimants = set.changes.flatMap(({ resource, before, after }) =>
    CLAIMANTS.includes(resource) && after && !before ? after : [],
  );
  if (orphans.length > 0)
    adopt(
      set,
      CLAIMANTS.flatMap((resource) => set.list(resource)),
      orphans,
    );
  if (claimants.length > 0) adopt(set, claimants, set.list(POD).filter(isOrphan));
}

function letGo(set: ChangeSet, pod: ApiObject): void {
  const owner = controllerOf(set, pod);
  if (!owner || !CLAIMANTS.includes(owner.resource) || isOver(pod)) return;
  if (!isSelected(selectorIn(owner.object), pod)) set.put(POD, withoutOwner(pod, uidOf(owner.object)));
}

function adopt(set: ChangeSet, claimants: readonly ApiObject[], orphans: readonly ApiObject[]): void {
  const byNamespace = Map.groupBy(orphans, namespaceOf);
  for (const claimant of claimants) {
    const selector = selectorIn(claimant);
    for (const { metadata } of byNamespace.get(namespaceOf(claimant)) ?? []) {
      const pod = set.get(POD, namespaceOf(claimant), metadata.name);
      if (!pod || !isOrphan(pod) || !isSelected(selector, pod)) continue;
      const ownerReferences = [...listAt(pod, 'metadata', 'ownerReferences'), ownerReference(claimant)];
      set.put(POD, withMetadata(pod, { ...pod.metadata, ownerReferences }));
    }
  }
}

function isOrphan(pod: ApiObject): boolean {
  return !controllerReference(pod) && !isOver(pod) && textAt(pod, 'metadata', 'deletionTimestamp') === '';
}

function selectorIn(claimant: ApiObject): Selector {
  const selector = objectAt(claimant, 'spec', 'selector');
  return claimant.kind === 'ReplicaSet'
    ? selectorOf(selector) // it has been validated
    : selectorOfLabels(Object.fromEntries(textMapAt(claimant, 'spec', 'selector')));
}

function isSelected(selector: Selector, pod: ApiObject): boolean {
  return selects(selector, textMapAt(pod, 'metadata', 'labels'));
}
