import { at, listAt, nameOf, namespaceOf, textAt, uidOf, type ApiObject } from '../../apiserver/api-object.ts';
import type { ChangeSet, Found } from '../../apiserver/change-set.ts';
import { resourceOfKind } from '../../apiserver/registry.ts';
import type { JsonObject, JsonValue } from '../../manifest/json.ts';

/** The reference by which an object says that this one has made it and looks after it. */
export function ownerReference({ apiVersion, kind, metadata }: ApiObject): JsonObject {
  const { name, uid = '' } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** What looks after the object. @returns undefined if nothing does, or nothing that is there. */
export function controllerOf(set: ChangeSet, object: ApiObject): Found | undefined {
  const reference = controllerReference(object);
  const resource = reference && resourceOfKind(textAt(reference, 'apiVersion'), textAt(reference, 'kind'));
  const owner = resource && set.get(resource, namespaceOf(object), textAt(reference, 'name'));
  return owner && uidOf(owner) === textAt(reference, 'uid') ? { resource, object: owner } : undefined;
}

/** The workload that a pod was written as: a Deployment, though a ReplicaSet looks after the pod; the pod itself if it is a bare one. */
export function ownerOf(set: ChangeSet, object: ApiObject): { readonly kind: string; readonly name: string } {
  const owner = controllerOf(set, object);
  if (owner) return ownerOf(set, owner.object);
  const reference = controllerReference(object);
  return reference
    ? { kind: textAt(reference, 'kind'), name: textAt(reference, 'name') }
    : { kind: object.kind, name: nameOf(object) };
}

/** The object's own word of what looks after it. @returns undefined if nothing does. */
export function controllerReference(object: ApiObject): JsonValue | undefined {
  return listAt(object, 'metadata', 'ownerReferences').find((one) => at(one, 'controller') === true);
}
