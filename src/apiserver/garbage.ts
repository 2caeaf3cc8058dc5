import { listAt, nameOf, textAt, uidOf, type ApiObject } from './api-object.ts';
import type { ObjectChange, ObjectStore } from './object-store.ts';
import { RESOURCES, type Resource } from './registry.ts';

interface Found {
  readonly resource: Resource;
  readonly object: ApiObject;
}

/**
 * The deletion of an object and of what cannot be without it: what is in a namespace, and what has no owner left.
 * On a cluster controllers do this soon after; here it is one change.
 */
export function cascade(store: ObjectStore, root: Found): ObjectChange[] {
  const doomed = new Map<string, Found>();
  const visit = (found: Found): void => {
    const uid = uidOf(found.object);
    if (doomed.has(uid)) return;
    doomed.set(uid, found);
    for (const child of store.ownedBy(uid)) if (ownersAreIn(child.object, doomed)) visit(child);
  };
  visit(root);
  if (root.resource.kind === 'Namespace') {
    doomed.delete(uidOf(root.object));
    for (const found of contentsOf(store, nameOf(root.object))) visit(found);
    doomed.set(uidOf(root.object), root); // the namespace goes last
  }
  return [...doomed.values()].map(({ resource, object }) => ({ resource, before: object, after: undefined }));
}

function contentsOf(store: ObjectStore, namespace: string): Found[] {
  return RESOURCES.filter((resource) => resource.namespaced).flatMap((resource) =>
    store.list(resource, { namespace }).items.map((object) => ({ resource, object })),
  );
}

function ownersAreIn(object: ApiObject, doomed: ReadonlyMap<string, Found>): boolean {
  return listAt(object, 'metadata', 'ownerReferences').every((owner) => doomed.has(textAt(owner, 'uid')));
}
