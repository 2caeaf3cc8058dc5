import { listAt, nameOf, textAt, uidOf, type ApiObject } from './api-object.ts';
import type { ChangeSet, Found } from './change-set.ts';
import { RESOURCES } from './registry.ts';

/**
 * Deletes an object and what cannot be without it: what is in a namespace, and what has no owner left.
 * On a cluster controllers do this soon after; here it is one change.
 */
export function removeWithDependents(set: ChangeSet, root: Found): void {
  const doomed = new Map<string, Found>();
  const visit = (found: Found): void => {
    const uid = uidOf(found.object);
    if (doomed.has(uid)) return;
    doomed.set(uid, found);
    for (const child of set.ownedBy(uid)) if (ownersAreIn(child.object, doomed)) visit(child);
  };
  visit(root);
  if (root.resource.kind === 'Namespace') {
    doomed.delete(uidOf(root.object));
    for (const found of contentsOf(set, nameOf(root.object))) visit(found);
    doomed.set(uidOf(root.object), root); // the namespace goes last
  }
  for (const { resource, object } of doomed.values()) set.remove(resource, object);
}

function contentsOf(set: ChangeSet, namespace: string): Found[] {
  return RESOURCES.filter((resource) => resource.namespaced).flatMap((resource) =>
    set.list(resource, namespace).map((object) => ({ resource, object })),
  );
}

function ownersAreIn(object: ApiObject, doomed: ReadonlyMap<string, Found>): boolean {
  return listAt(object, 'metadata', 'ownerReferences').every((owner) => doomed.has(textAt(owner, 'uid')));
}
