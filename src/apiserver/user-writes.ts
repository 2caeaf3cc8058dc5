import type { Issue } from '../manifest/issue.ts';
import type { JsonObject } from '../manifest/json.ts';
import { nameOf, namespaceOf, uidOf, type ApiObject } from './api-object.ts';
import { ChangeSet } from './change-set.ts';
import type { WriteTarget } from './object-draft.ts';
import type { ListQuery, ObjectStore } from './object-store.ts';
import type { Resource } from './registry.ts';
import { SerialQueue } from './serial-queue.ts';
import { invalidObject } from './status.ts';
import { WriteDraft, type ApplyRequest, type RemoveOptions, type WriteOptions } from './write-draft.ts';

/** Whether the lab takes the changes that are about to be stored. Who wrote them is warned of the remarks. */
export type CommitVerdict =
  | { readonly kind: 'accepted'; readonly remarks?: readonly string[] }
  | { readonly kind: 'refused'; readonly issues: readonly Issue[] };

/**
 * Asked about each set of changes before it is stored and answered; it may add to the set what follows from it. May
 * throw an ApiError to refuse.
 */
export type CommitHook = (set: ChangeSet) => Promise<CommitVerdict>;

/** Asked after changes are stored, before they are answered. @returns what there is to say about them; nothing if all is well. */
export type StoredHook = () => Promise<readonly string[]>;

/** With `dryRun` a write is only checked. */
export interface DryRun {
  readonly dryRun: boolean;
}

/** What users write: one write after the other, on the disk before the promise resolves. */
export class UserWrites {
  /** What is asked before a write is stored; everything is accepted until the lab sets it. */
  onCommit: CommitHook = () => Promise.resolve({ kind: 'accepted' });
  /** What is waited for once a write is stored; nothing until the lab sets it. */
  onStored: StoredHook = () => Promise.resolve([]);
  readonly #store: ObjectStore;
  readonly #queue = new SerialQueue();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Makes an object. `target.name` is empty: the object has its name, or has one made for it. */
  create(target: WriteTarget, value: JsonObject, options: WriteOptions & DryRun): Promise<ApiObject> {
    return this.#write(options, (draft) => draft.create(target, value, options));
  }

  /** Changes an object: `change` makes the new one of what is stored. Throws a 404 if there is none. */
  update(
    target: WriteTarget,
    change: (current: ApiObject) => JsonObject,
    options: WriteOptions & DryRun,
  ): Promise<ApiObject> {
    return this.#write(options, (draft) => draft.update(target, change, options));
  }

  /** A server-side apply; makes the object if there is none. */
  async apply(
    target: WriteTarget,
    request: ApplyRequest,
    options: WriteOptions & DryRun,
  ): Promise<{ readonly object: ApiObject; readonly created: boolean }> {
    let created = false;
    const object = await this.#write(options, (draft) => {
      created = !draft.set.get(target.resource, target.namespace, target.name);
      return draft.apply(target, request, options);
    });
    return { object, created };
  }

  /** Deletes an object and what it owns. @returns the object as it was, or as it is while finalizers hold it. */
  remove(target: WriteTarget, options: RemoveOptions & DryRun): Promise<ApiObject> {
    return this.#write(options, (draft) => draft.remove(target, options));
  }

  /** Deletes the objects of a list. @returns them as they were. */
  async removeAll(
    resource: Resource,
    query: ListQuery,
    options: RemoveOptions & DryRun,
  ): Promise<readonly ApiObject[]> {
    const removed: ApiObject[] = [];
    for (const object of this.#store.list(resource, query).items) {
      const target: WriteTarget = { resource, namespace: namespaceOf(object), name: nameOf(object), subresource: '' };
      if (this.#store.get(resource, target.namespace, target.name)) removed.push(await this.remove(target, options));
    }
    return removed;
  }

  /**
   * Makes all that `plan` drafts as one write: all of it or, if it throws or the hook refuses, nothing.
   * The second hook is not asked: that is for those who wait for what was changed.
   * @returns the first hook's verdict, and what `plan` returned.
   */
  async together<T>(plan: (draft: WriteDraft) => T): Promise<{ readonly verdict: CommitVerdict; readonly value: T }> {
    const done = await this.#queue.run(async () => {
      const set = new ChangeSet(this.#store);
      const value = plan(new WriteDraft(set));
      const verdict = await this.#commit(set);
      return { verdict, value };
    });
    await this.#store.flushed();
    return done;
  }

  /** One write at a time from plan to memory; the disk takes those together that come while it is busy. */
  async #write(
    { dryRun, warn }: DryRun & Partial<Pick<WriteOptions, 'warn'>>,
    plan: (draft: WriteDraft) => ApiObject,
  ): Promise<ApiObject> {
    const stored = await this.#queue.run(async () => {
      const set = new ChangeSet(this.#store);
      const object = plan(new WriteDraft(set));
      if (dryRun) return object;
      const [first] = set.changes;
      const verdict = await this.#commit(set);
      if (verdict.kind === 'refused' && first) throw invalidObject(first.resource, nameOf(object), verdict.issues);
      if (verdict.kind === 'accepted') for (const remark of verdict.remarks ?? []) warn?.(remark);
      const stored = first && this.#store.get(first.resource, namespaceOf(object), nameOf(object));
      return stored && uidOf(stored) === uidOf(object) ? stored : object;
    });
    await this.#store.flushed();
    if (!dryRun) await this.onStored();
    return stored;
  }

  async #commit(set: ChangeSet): Promise<CommitVerdict> {
    if (set.changes.length === 0) return { kind: 'accepted' };
    const verdict = await this.onCommit(set);
    if (verdict.kind === 'accepted') this.#store.commit(set.changes, { durable: true });
    return verdict;
  }
}
