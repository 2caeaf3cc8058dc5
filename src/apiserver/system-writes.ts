import type { JsonObject } from '../manifest/json.ts';
import { namespaceOf, objectAt, sameJson, withMetadata, type ApiObject } from './api-object.ts';
import { withDefaults } from './defaults.ts';
import { ChangeSet } from './change-set.ts';
import { removeWithDependents } from './garbage.ts';
import { birthOf, generationOf, sameContent } from './lifecycle.ts';
import { addInitialContents } from './namespace-contents.ts';
import type { ObjectStore } from './object-store.ts';
import { servedKind } from './registry.ts';

/** What an object is called. `namespace` is empty for kinds without namespaces. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** What the system wants stored: an object without what the store fills in. */
export interface SystemObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: JsonObject & { readonly name: string };
}

/**
 * What controllers, scheduler and kubelet would write: pods of workloads, statuses, endpoints, events. Taken as it is,
 * at once, without validation and without a question to the commit hook. Nothing changes if the object says that already.
 */
export class SystemWrites {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /**
   * Makes or replaces an object; uid and time of creation of an earlier one are kept. Unless `durable`, it is gone
   * after a restart. Throws TypeError for a kind that is not served.
   */
  put(object: SystemObject, { durable = false }: { readonly durable?: boolean } = {}): ApiObject {
    const resource = servedKind(object.apiVersion, object.kind);
    const namespace = resource.namespaced ? namespaceOf(object) || 'default' : '';
    const { name } = object.metadata;
    const before = this.#store.get(resource, namespace, name);
    const filled = withDefaults(resource, object);
    const metadata = {
      ...objectAt(filled, 'metadata'),
      name,
      ...(namespace === '' ? {} : { namespace }),
      ...birthOf(this.#store, before),
    };
    const draft: ApiObject = { ...filled, apiVersion: object.apiVersion, kind: object.kind, metadata };
    const after = withMetadata(draft, { ...metadata, ...generationOf(resource, before, draft) });
    if (before && sameContent(before, after)) return before;
    const set = new ChangeSet(this.#store);
    set.put(resource, after);
    if (!before) addInitialContents(set, after);
    return this.#store.commit(set.changes, { durable })[0] ?? after;
  }

  /** Sets the given fields of the status. @returns the object; undefined if there is none. */
  patchStatus(reference: ObjectReference, status: JsonObject): ApiObject | undefined {
    const resource = servedKind(reference.apiVersion, reference.kind);
    const before = this.#store.get(resource, reference.namespace, reference.name);
    if (!before) return undefined;
    const after = { ...before, status: { ...objectAt(before, 'status'), ...status } };
    if (sameJson(before, after)) return before;
    return this.#store.commit([{ resource, before, after }], { durable: false })[0];
  }

  /** Deletes the object and what it owns. @returns whether there was one. */
  remove(reference: ObjectReference): boolean {
    const resource = servedKind(reference.apiVersion, reference.kind);
    const before = this.#store.get(resource, reference.namespace, reference.name);
    if (!before) return false;
    const set = new ChangeSet(this.#store);
    removeWithDependents(set, { resource, object: before });
    this.#store.commit(set.changes, { durable: true });
    return true;
  }
}
