import { isObject, type JsonObject, type JsonValue } from '../manifest/json.ts';
import { generatedName } from '../manifest/safe-name.ts';
import { listAt, nameOf, sameJson, textAt, uidOf, without, withMetadata, type ApiObject } from './api-object.ts';
import type { ChangeSet } from './change-set.ts';
import { withDefaults } from './defaults.ts';
import { removeWithDependents } from './garbage.ts';
import { sameContent, timestamp } from './lifecycle.ts';
import { addInitialContents } from './namespace-contents.ts';
import {
  assertNamed,
  assertPreconditions,
  assertSame,
  assertValid,
  changed,
  newborn,
  undeletable,
  type WriteTarget,
} from './object-draft.ts';
import { withoutOwner } from './owner-index.ts';
import { recordUpdate, type Writer } from './patch/managed-fields.ts';
import { serverSideApply } from './patch/server-side-apply.ts';
import { apiVersionOf, servedKind, type Resource } from './registry.ts';
import { alreadyExists, badRequest, notFound } from './status.ts';
import { decoded, warningsOf, type FieldValidation } from './validation.ts';

/** How a user writes. */
export interface WriteOptions {
  readonly fieldValidation: FieldValidation;
  readonly fieldManager: string;
  /** Takes what the API server warns of. */
  readonly warn: (text: string) => void;
  /** Where the object was written, kept beside it. */
  readonly origin?: JsonObject;
}

/** What else a deletion asks for. Empty texts ask for nothing. */
export interface RemoveOptions {
  readonly orphan: boolean;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** What to apply server-side. */
export interface ApplyRequest {
  readonly object: JsonObject;
  readonly force: boolean;
}

const NAMESPACE = servedKind('v1', 'Namespace');
// Source: NamespaceLifecycle, k8s.io/apiserver: these cannot be deleted.
const IMMORTAL_NAMESPACES = ['default', 'kube-system'];

/** Users' writes on their way into a set of changes: decoded, filled in, validated. What is refused is thrown as an ApiError. */
export class WriteDraft {
  readonly set: ChangeSet;

  constructor(set: ChangeSet) {
    this.set = set;
  }

  /** Makes an object. `target.name` is empty: the object has its name, or has one made for it. */
  create(target: WriteTarget, value: JsonObject, options: WriteOptions): ApiObject {
    const { resource, namespace } = target;
    const given = this.#decoded(resource, value, options);
    const after = newborn(this.set, { ...target, name: this.#newName(target, given) }, given);
    this.#assertNamespace(resource, namespace);
    assertValid(resource, undefined, after);
    if (this.set.get(resource, namespace, nameOf(after))) throw alreadyExists(resource, nameOf(after));
    return this.#put(resource, undefined, {
      after: recordUpdate(undefined, after, this.#writer(options, 'Update', '')),
      options,
    });
  }

  /** Changes an object: `change` makes the new one of the present one. Throws a 404 if there is none. */
  update(target: WriteTarget, change: (current: ApiObject) => JsonObject, options: WriteOptions): ApiObject {
    const { resource, namespace, name, subresource } = target;
    const before = this.set.get(resource, namespace, name);
    if (!before) throw notFound(resource, name);
    const after = changed(this.set, target, { before, value: this.#decoded(resource, change(before), options) });
    assertValid(resource, before, after);
    if (sameObject(before, after)) return before;
    return this.#put(resource, before, {
      after: recordUpdate(before, after, this.#writer(options, 'Update', subresource)),
      options,
    });
  }

  /** A server-side apply; makes the object if there is none. */
  apply(target: WriteTarget, { object, force }: ApplyRequest, options: WriteOptions): ApiObject {
    const { resource, namespace, name } = target;
    const written = this.#decoded(resource, object, options);
    const before = this.set.get(resource, namespace, name);
    if (before) assertSame(target, before, written);
    else {
      assertNamed(target, written);
      this.#assertNamespace(resource, namespace);
    }
    const writer = this.#writer(options, 'Apply', target.subresource);
    const live = before ?? { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name } };
    const defaulted = withDefaults(resource, written);
    const merged = serverSideApply(live, { written, defaulted, writer, force });
    const after = before
      ? changed(this.set, target, { before, value: merged })
      : newborn(this.set, target, without(merged, 'status'));
    assertValid(resource, before, after);
    return this.#put(resource, before, { after, options });
  }

  /** Deletes an object and what it owns. @returns the object as it was, or as it is while finalizers hold it. */
  remove({ resource, namespace, name, subresource }: WriteTarget, options: RemoveOptions): ApiObject {
    const before = this.set.get(resource, namespace, name);
    if (!before) throw notFound(resource, name);
    if (resource.kind === 'Namespace' && IMMORTAL_NAMESPACES.includes(name)) throw undeletable(resource, name);
    assertPreconditions({ resource, namespace, name, subresource }, before, options);
    if (finalizersOf(before).length > 0) return this.#mark(resource, before);
    if (options.orphan) this.#orphan(resource, before);
    else removeWithDependents(this.set, { resource, object: before });
    return before;
  }

  #put(
    resource: Resource,
    before: ApiObject | undefined,
    { after, options }: { readonly after: ApiObject; readonly options: WriteOptions },
  ): ApiObject {
    if (before && sameObject(before, after)) return before;
    for (const warning of warningsOf(resource, after)) options.warn(warning);
    const released = textAt(after, 'metadata', 'deletionTimestamp') !== '' && finalizersOf(after).length === 0;
    if (before && released) {
      removeWithDependents(this.set, { resource, object: before });
      return after;
    }
    this.set.put(resource, after, options.origin);
    if (!before) addInitialContents(this.set, after);
    return after;
  }

  /** Finalizers hold the object: it is only marked. */
  #mark(resource: Resource, before: ApiObject): ApiObject {
    const deletionTimestamp = textAt(before, 'metadata', 'deletionTimestamp') || timestamp(this.set.now());
    const metadata = { ...before.metadata, deletionTimestamp, deletionGracePeriodSeconds: 0 };
    const after = withMetadata(before, metadata);
    return sameJson(before, after) ? before : this.set.put(resource, after);
  }

  #orphan(resource: Resource, before: ApiObject): void {
    const uid = uidOf(before);
    const orphans = this.set.ownedBy(uid);
    this.set.remove(resource, before);
    for (const { resource: its, object } of orphans) this.set.put(its, withoutOwner(object, uid));
  }

  #decoded(resource: Resource, value: JsonObject, { fieldValidation, warn }: WriteOptions): JsonObject {
    assertKind(resource, value);
    const reading = decoded(resource, value, fieldValidation);
    for (const warning of reading.warnings) warn(warning);
    return reading.value;
  }

  #newName({ resource, namespace }: WriteTarget, value: JsonObject): string {
    const prefix = textAt(value, 'metadata', 'generateName');
    if (nameOf(value) !== '' || prefix === '') return nameOf(value);
    for (;;) {
      const name = generatedName(prefix, this.set.makeUid(), new Set());
      if (!this.set.get(resource, namespace, name)) return name;
    }
  }

  #assertNamespace(resource: Resource, namespace: string): void {
    if (resource.namespaced && !this.set.get(NAMESPACE, '', namespace)) throw notFound(NAMESPACE, namespace);
  }

  #writer({ fieldManager: manager }: WriteOptions, operation: Writer['operation'], subresource: string): Writer {
    return { manager, operation, subresource, time: timestamp(this.set.now()) };
  }
}

function finalizersOf(object: ApiObject): readonly unknown[] {
  return listAt(object, 'metadata', 'finalizers');
}

/** Whether nothing would change: a record of writers that differs only in its times is the same. */
function sameObject(before: ApiObject, after: ApiObject): boolean {
  const timeless = (object: ApiObject): JsonValue[] =>
    listAt(object, 'metadata', 'managedFields').map((entry) => (isObject(entry) ? without(entry, 'time') : entry));
  return sameContent(before, after) && sameJson(timeless(before), timeless(after));
}

function assertKind(resource: Resource, value: JsonObject): void {
  const [apiVersion, kind] = [textAt(value, 'apiVersion'), textAt(value, 'kind')];
  const expected = apiVersionOf(resource);
  if (apiVersion !== '' && apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  }
  if (kind !== '' && kind !== resource.kind) {
    throw badRequest(
      `${kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: no kind "${kind}" is expected here`,
    );
  }
}
