import { isObject, type JsonObject, type JsonValue } from '../manifest/json.ts';
import { generatedName } from '../manifest/safe-name.ts';
import { invariant } from '../model/invariant.ts';
import {
  at,
  listAt,
  nameOf,
  namespaceOf,
  sameJson,
  textAt,
  uidOf,
  without,
  withMetadata,
  type ApiObject,
} from './api-object.ts';
import { withDefaults } from './defaults.ts';
import { cascade } from './garbage.ts';
import { sameContent, timestamp } from './lifecycle.ts';
import { initialContents } from './namespace-contents.ts';
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
import type { ListQuery, ObjectChange, ObjectStore } from './object-store.ts';
import { recordUpdate, type Writer } from './patch/managed-fields.ts';
import { serverSideApply } from './patch/server-side-apply.ts';
import { apiVersionOf, servedKind, type Resource } from './registry.ts';
import { SerialQueue } from './serial-queue.ts';
import { alreadyExists, badRequest, invalidObject, notFound } from './status.ts';
import { decoded, warningsOf, type FieldIssue, type FieldValidation } from './validation.ts';

/** What the lab makes of a user's write that is about to be stored. */
export type CommitVerdict =
  | {
      readonly kind: 'accepted';
      /** Objects to store in place of those of the changes, by kind, namespace and name: a Service with its address. */
      readonly amended?: readonly ApiObject[];
    }
  | { readonly kind: 'refused'; readonly issues: readonly FieldIssue[] };

/** Asked for each user write before it is stored and answered. May throw an ApiError to refuse. */
export type CommitHook = (changes: readonly ObjectChange[]) => Promise<CommitVerdict>;

/** How a user writes. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  readonly fieldManager: string;
  /** Takes what the API server warns of. */
  readonly warn: (text: string) => void;
}

/** What else a deletion asks for. Empty texts ask for nothing. */
export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly orphan: boolean;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** What a write is to do: the changes, and what the answer shows. Without changes there is nothing to store. */
interface Plan {
  readonly changes: readonly ObjectChange[];
  readonly object: ApiObject;
}

const NAMESPACE = servedKind('v1', 'Namespace');
// Source: NamespaceLifecycle, k8s.io/apiserver: these cannot be deleted.
const IMMORTAL_NAMESPACES = ['default', 'kube-system'];

/** What users write: decoded, filled in, validated, one write after the other, on the disk before the promise resolves. */
export class UserWrites {
  /** What is asked before a write is stored; everything is accepted until the lab sets it. */
  onCommit: CommitHook = () => Promise.resolve({ kind: 'accepted' });
  readonly #store: ObjectStore;
  readonly #queue = new SerialQueue();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Makes an object. `target.name` is empty: the object has its name, or has one made for it. */
  create(target: WriteTarget, value: JsonObject, options: WriteOptions): Promise<ApiObject> {
    const { resource, namespace } = target;
    return this.#write(options.dryRun, () => {
      const given = this.#decoded(resource, value, options);
      const after = newborn(this.#store, { ...target, name: this.#newName(target, given) }, given);
      this.#assertNamespace(resource, namespace);
      assertValid(resource, undefined, after);
      if (this.#store.get(resource, namespace, nameOf(after))) throw alreadyExists(resource, nameOf(after));
      return this.#plan(resource, undefined, { after: this.#recorded(undefined, after, options), options });
    });
  }

  /** Changes an object: `change` makes the new one of what is stored. Throws a 404 if there is none. */
  update(target: WriteTarget, change: (current: ApiObject) => JsonObject, options: WriteOptions): Promise<ApiObject> {
    const { resource, namespace, name, subresource } = target;
    return this.#write(options.dryRun, () => {
      const before = this.#store.get(resource, namespace, name);
      if (!before) throw notFound(resource, name);
      const after = changed(this.#store, target, { before, value: this.#decoded(resource, change(before), options) });
      assertValid(resource, before, after);
      if (sameObject(before, after)) return { changes: [], object: before };
      return this.#plan(resource, before, {
        after: this.#recorded(before, after, { ...options, subresource }),
        options,
      });
    });
  }

  /** A server-side apply; makes the object if there is none. */
  async apply(
    target: WriteTarget,
    { object, force }: { readonly object: JsonObject; readonly force: boolean },
    options: WriteOptions,
  ): Promise<{ readonly object: ApiObject; readonly created: boolean }> {
    const { resource, namespace, name } = target;
    let created = false;
    const stored = await this.#write(options.dryRun, () => {
      const written = this.#decoded(resource, object, options);
      const before = this.#store.get(resource, namespace, name);
      created = !before;
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
        ? changed(this.#store, target, { before, value: merged })
        : newborn(this.#store, target, without(merged, 'status'));
      assertValid(resource, before, after);
      return this.#plan(resource, before, { after, options });
    });
    return { object: stored, created };
  }

  /** Deletes an object and what it owns. @returns the object as it was, or as it is while finalizers hold it. */
  remove(target: WriteTarget, options: DeleteOptions): Promise<ApiObject> {
    const { resource, namespace, name } = target;
    return this.#write(options.dryRun, () => {
      const before = this.#store.get(resource, namespace, name);
      if (!before) throw notFound(resource, name);
      if (resource.kind === 'Namespace' && IMMORTAL_NAMESPACES.includes(name)) throw undeletable(resource, name);
      assertPreconditions(target, before, options);
      return this.#removal(resource, before, options);
    });
  }

  /** Deletes the objects of a list. @returns them as they were. */
  async removeAll(resource: Resource, query: ListQuery, options: DeleteOptions): Promise<readonly ApiObject[]> {
    const removed: ApiObject[] = [];
    for (const object of this.#store.list(resource, query).items) {
      const target: WriteTarget = { resource, namespace: namespaceOf(object), name: nameOf(object), subresource: '' };
      if (this.#store.get(resource, target.namespace, target.name)) removed.push(await this.remove(target, options));
    }
    return removed;
  }

  /** One write at a time from plan to memory; the disk takes those together that come while it is busy. */
  async #write(dryRun: boolean, plan: () => Plan): Promise<ApiObject> {
    const stored = await this.#queue.run(async () => {
      const { changes, object } = plan();
      if (dryRun || changes.length === 0) return object;
      const verdict = await this.onCommit(changes);
      if (verdict.kind === 'refused') {
        const [first] = changes;
        invariant(first, 'there are changes');
        throw invalidObject(first.resource, nameOf(object), verdict.issues);
      }
      const amended = changes.map((change) => this.#rebased(amendedBy(change, verdict.amended ?? [])));
      return this.#store.commit(amended, { durable: true })[0] ?? object;
    });
    await this.#store.flushed();
    return stored;
  }

  #plan(
    resource: Resource,
    before: ApiObject | undefined,
    { after, options }: { readonly after: ApiObject; readonly options: WriteOptions },
  ): Plan {
    if (before && sameObject(before, after)) return { changes: [], object: before };
    for (const warning of warningsOf(resource, after)) options.warn(warning);
    const released = textAt(after, 'metadata', 'deletionTimestamp') !== '' && finalizersOf(after).length === 0;
    if (before && released) return { changes: cascade(this.#store, { resource, object: before }), object: after };
    const contents = before ? [] : initialContents(this.#store, after);
    return { changes: [{ resource, before, after }, ...contents], object: after };
  }

  #removal(resource: Resource, before: ApiObject, { orphan }: DeleteOptions): Plan {
    if (finalizersOf(before).length > 0) {
      const deletionTimestamp = timestamp(this.#store.now());
      const after = withMetadata(before, { ...before.metadata, deletionTimestamp, deletionGracePeriodSeconds: 0 });
      const marked = textAt(before, 'metadata', 'deletionTimestamp') !== '';
      return { changes: marked ? [] : [{ resource, before, after }], object: after };
    }
    if (!orphan) return { changes: cascade(this.#store, { resource, object: before }), object: before };
    const orphans = this.#store.ownedBy(uidOf(before)).map(({ resource: its, object }) => ({
      resource: its,
      before: object,
      after: withoutOwner(object, uidOf(before)),
    }));
    return { changes: [{ resource, before, after: undefined }, ...orphans], object: before };
  }

  /** The change as it is to be made now: the system may have written to the object while the lab was asked. */
  #rebased(change: ObjectChange): ObjectChange {
    const { resource, before, after } = change;
    const object = after ?? before;
    invariant(object, 'a change has an object before or after it');
    const current = this.#store.get(resource, namespaceOf(object), nameOf(object));
    if (current === before) return change;
    const status = at(current, 'status');
    const keepsStatus = after && resource.hasStatus && status !== undefined;
    return { resource, before: current, after: keepsStatus ? { ...after, status } : after };
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
      const name = generatedName(prefix, this.#store.makeUid(), new Set());
      if (!this.#store.get(resource, namespace, name)) return name;
    }
  }

  #assertNamespace(resource: Resource, namespace: string): void {
    if (resource.namespaced && !this.#store.get(NAMESPACE, '', namespace)) throw notFound(NAMESPACE, namespace);
  }

  #recorded(
    before: ApiObject | undefined,
    after: ApiObject,
    options: WriteOptions & { readonly subresource?: string },
  ): ApiObject {
    return recordUpdate(before, after, this.#writer(options, 'Update', options.subresource ?? ''));
  }

  #writer({ fieldManager: manager }: WriteOptions, operation: Writer['operation'], subresource: string): Writer {
    return { manager, operation, subresource, time: timestamp(this.#store.now()) };
  }
}

function finalizersOf(object: ApiObject): readonly unknown[] {
  return listAt(object, 'metadata', 'finalizers');
}

function withoutOwner(object: ApiObject, uid: string): ApiObject {
  const ownerReferences = listAt(object, 'metadata', 'ownerReferences').filter((owner) => textAt(owner, 'uid') !== uid);
  return withMetadata(object, { ...object.metadata, ownerReferences });
}

function amendedBy(change: ObjectChange, amended: readonly ApiObject[]): ObjectChange {
  const { after } = change;
  if (!after) return change;
  const other = amended.find(
    (object) =>
      object.kind === after.kind && nameOf(object) === nameOf(after) && namespaceOf(object) === namespaceOf(after),
  );
  return other ? { ...change, after: other } : change;
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
