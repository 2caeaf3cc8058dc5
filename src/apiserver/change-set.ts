import type { JsonObject } from '../manifest/json.ts';
import { nameOf, namespaceOf, uidOf, type ApiObject } from './api-object.ts';
import type { ObjectChange, ObjectStore } from './object-store.ts';
import { OwnerIndex } from './owner-index.ts';
import type { Resource } from './registry.ts';

/** A stored object and what it is one of. */
export interface Found {
  readonly resource: Resource;
  readonly object: ApiObject;
}

/**
 * Changes that are to be made as one: reads see the store as it will be. Nothing is stored before
 * ObjectStore.commit() takes the changes. Cost: reads cost what they cost in the store, list() a look at each change.
 */
export class ChangeSet {
  readonly now: () => Date;
  readonly makeUid: () => string;
  readonly #store: ObjectStore;
  /** What is at a place once the changes are made. */
  readonly #places = new Map<string, Found | undefined>();
  /** By place and uid, for an object may give its place to another. */
  readonly #changes = new Map<string, ObjectChange>();
  readonly #owners = new OwnerIndex();

  constructor(store: ObjectStore) {
    this.#store = store;
    this.now = store.now;
    this.makeUid = store.makeUid;
  }

  /** The changes, in the order in which their objects were first touched; none of objects that came and went. */
  get changes(): ObjectChange[] {
    return [...this.#changes.values()].filter(({ before, after }) => before !== after);
  }

  /** The object of that name. @returns undefined if there is none. */
  get(resource: Resource, namespace: string, name: string): ApiObject | undefined {
    const place = placeOf(resource, namespace, name);
    return this.#places.has(place) ? this.#places.get(place)?.object : this.#store.get(resource, namespace, name);
  }

  /** Where the object of that name was written, if that is known. */
  originOf(resource: Resource, namespace: string, name: string): JsonObject | undefined {
    const object = this.get(resource, namespace, name);
    const change = object && this.#changes.get(keyOf(resource, object));
    return change?.origin ?? this.#store.originOf(resource, namespace, name);
  }

  /** The objects of a resource, of one namespace or of all; those of the set last. */
  list(resource: Resource, namespace = ''): ApiObject[] {
    const untouched = this.#store
      .list(resource, { namespace })
      .items.filter((object) => !this.#places.has(placeOfObject(resource, object)));
    const touched = [...this.#places.values()].flatMap((found) =>
      found?.resource === resource && (namespace === '' || namespaceOf(found.object) === namespace) ? found.object : [],
    );
    return [...untouched, ...touched];
  }

  /** The objects that the object of this uid owns. */
  ownedBy(uid: string): Found[] {
    const untouched = this.#store
      .ownedBy(uid)
      .filter(({ resource, object }) => !this.#places.has(placeOfObject(resource, object)));
    const touched = this.#owners.ownedBy(uid).flatMap(({ resource, namespace, name }) => {
      const object = this.get(resource, namespace, name);
      return object ? [{ resource, object }] : [];
    });
    return [...untouched, ...touched];
  }

  /** Makes the object, or puts it in the place of the one that it is a change of. @returns the object. */
  put(resource: Resource, object: ApiObject, origin?: JsonObject): ApiObject {
    this.#touch(resource, { object, after: object, origin });
    this.#owners.add(resource, object);
    return object;
  }

  /** Deletes the object. */
  remove(resource: Resource, object: ApiObject): void {
    this.#touch(resource, { object, after: undefined, origin: undefined });
  }

  #touch(
    resource: Resource,
    { object, after, origin }: Pick<ObjectChange, 'after'> & { object: ApiObject; origin: JsonObject | undefined },
  ): void {
    const place = placeOfObject(resource, object);
    const held = this.#places.get(place);
    if (held) this.#owners.forget(resource, held.object);
    const key = keyOf(resource, object);
    const earlier = this.#changes.get(key);
    const before = earlier ? earlier.before : this.#before(resource, object);
    const from = origin ?? earlier?.origin;
    this.#changes.set(key, { resource, before, after, ...(from === undefined ? {} : { origin: from }) });
    this.#places.set(place, after && { resource, object: after });
  }

  /** The stored object that it is a change of. */
  #before(resource: Resource, object: ApiObject): ApiObject | undefined {
    const stored = this.#store.get(resource, namespaceOf(object), nameOf(object));
    return stored && uidOf(stored) === uidOf(object) ? stored : undefined;
  }
}

function placeOf({ group, plural }: Resource, namespace: string, name: string): string {
  return `${group}/${plural}/${namespace}/${name}`;
}

function placeOfObject(resource: Resource, object: ApiObject): string {
  return placeOf(resource, namespaceOf(object), nameOf(object));
}

function keyOf(resource: Resource, object: ApiObject): string {
  return `${placeOfObject(resource, object)}/${uidOf(object)}`;
}
