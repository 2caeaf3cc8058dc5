import { listAt, nameOf, namespaceOf, textAt, withMetadata, type ApiObject } from './api-object.ts';
import type { Resource } from './registry.ts';

/** An object by what it is called. */
export interface ObjectAddress {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

/** Which objects have an owner, by its uid. */
export class OwnerIndex {
  readonly #owned = new Map<string, Map<string, ObjectAddress>>();

  add(resource: Resource, object: ApiObject): void {
    const address = { resource, namespace: namespaceOf(object), name: nameOf(object) };
    for (const uid of ownersOf(object)) {
      const owned = this.#owned.get(uid) ?? new Map<string, ObjectAddress>();
      owned.set(keyOf(address), address);
      this.#owned.set(uid, owned);
    }
  }

  forget(resource: Resource, object: ApiObject): void {
    const key = keyOf({ resource, namespace: namespaceOf(object), name: nameOf(object) });
    for (const uid of ownersOf(object)) {
      const owned = this.#owned.get(uid);
      owned?.delete(key);
      if (owned?.size === 0) this.#owned.delete(uid);
    }
  }

  ownedBy(uid: string): readonly ObjectAddress[] {
    return [...(this.#owned.get(uid)?.values() ?? [])];
  }
}

/** The object without the owner of this uid. */
export function withoutOwner(object: ApiObject, uid: string): ApiObject {
  const { ownerReferences: _, ...metadata } = object.metadata;
  const others = listAt(object, 'metadata', 'ownerReferences').filter((owner) => textAt(owner, 'uid') !== uid);
  return withMetadata(object, others.length === 0 ? metadata : { ...metadata, ownerReferences: others });
}

function ownersOf(object: ApiObject): string[] {
  return listAt(object, 'metadata', 'ownerReferences').map((owner) => textAt(owner, 'uid'));
}

function keyOf({ resource, namespace, name }: ObjectAddress): string {
  return `${resource.group}/${resource.plural}/${namespace}/${name}`;
}
