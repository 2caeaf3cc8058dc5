import { randomUUID } from 'node:crypto';
import { isObject, type JsonObject, type JsonValue } from '../manifest/json.ts';
import { invariant } from '../model/invariant.ts';
import {
  at,
  listAt,
  nameOf,
  namespaceOf,
  numberAt,
  objectAt,
  sameJson,
  textAt,
  versionOf,
  withMetadata,
  type ApiObject,
} from './api-object.ts';
import { ObjectTable, type Entry } from './object-table.ts';
import { OwnerIndex } from './owner-index.ts';
import { RESOURCES, resourceOfKind, type Resource } from './registry.ts';
import type { ObjectFilter } from './selectors.ts';
import { badRequest, expired } from './status.ts';
import { WatchHistory, type WatchEvent, type WatchScope } from './watch-history.ts';
import { WriteAheadLog } from './write-ahead-log.ts';

/** One object before and after a write; absent before it is made and after it is deleted. */
export interface ObjectChange {
  readonly resource: Resource;
  readonly before: ApiObject | undefined;
  readonly after: ApiObject | undefined;
  /** Where the object was written, kept beside it; absent: where it was before, unless it asks for something else now. */
  readonly origin?: JsonObject;
}

/** Which objects to list. `limit` 0 is all; `continueToken` is what an earlier list ended with. */
export interface ListQuery {
  readonly namespace?: string;
  readonly filter?: ObjectFilter | undefined;
  readonly limit?: number;
  readonly continueToken?: string;
}

/** Some objects of a resource. `continueToken` is empty if there are no more. */
export interface ObjectList {
  readonly items: readonly ApiObject[];
  readonly resourceVersion: string;
  readonly continueToken: string;
  readonly remaining: number;
}

/** Where the store keeps its objects, and its sources of time and chance. */
export interface StoreOptions {
  /** The folder of the log; without one nothing outlives the process. */
  readonly folder?: string;
  readonly now?: () => Date;
  readonly makeUid?: () => string;
}

// Versions that were handed out but not on the disk at a crash are never handed out again.
const RESTART_GAP = 1_000_000;
const MIN_COMPACTED_BYTES = 1 << 20;
// The log is rewritten when most of it is of the past.
const COMPACTION_FACTOR = 4;

/**
 * The objects of a lab by resource, with one version that grows with each change, and the log that keeps them.
 * Knows nothing of rules: what goes in has been validated. Reads see a change at once; it is safe after flushed().
 */
export class ObjectStore {
  readonly now: () => Date;
  readonly makeUid: () => string;
  readonly #log: WriteAheadLog | undefined;
  readonly #tables = new Map(RESOURCES.map((resource) => [resource, new ObjectTable()]));
  readonly #histories: ReadonlyMap<Resource, WatchHistory>;
  readonly #owners = new OwnerIndex();
  #version = 1;
  #compactAtBytes = MIN_COMPACTED_BYTES;

  private constructor(options: StoreOptions, opened: Awaited<ReturnType<typeof WriteAheadLog.open>> | undefined) {
    this.now = options.now ?? (() => new Date());
    this.makeUid = options.makeUid ?? randomUUID;
    this.#log = opened?.log;
    this.#replay(opened?.records ?? []);
    this.#histories = new Map(RESOURCES.map((resource) => [resource, new WatchHistory(this.#version)]));
  }

  /** Opens the store with what its log has. Throws a LabError if the log is damaged. */
  static async open(options: StoreOptions = {}): Promise<ObjectStore> {
    return new ObjectStore(
      options,
      options.folder === undefined ? undefined : await WriteAheadLog.open(options.folder),
    );
  }

  /** The version of the latest change. */
  get resourceVersion(): string {
    return String(this.#version);
  }

  /** The version of the latest change of a resource: who follows it up to that version knows all there is. */
  changedAt(resource: Resource): number {
    return this.#history(resource).latest;
  }

  /** The object of that name. @returns undefined if there is none. */
  get(resource: Resource, namespace: string, name: string): ApiObject | undefined {
    return this.#table(resource).get(namespace, name)?.object;
  }

  /** Where the object of that name was written, if that is known. */
  originOf(resource: Resource, namespace: string, name: string): JsonObject | undefined {
    return this.#table(resource).get(namespace, name)?.origin;
  }

  /** Objects by namespace and name. Pages are of the time they are asked for; a watch from the list's version tells the rest. */
  list(resource: Resource, query: ListQuery = {}): ObjectList {
    const { namespace = '', filter, limit = 0, continueToken = '' } = query;
    const from = continueToken === '' ? { version: this.#version, key: '' } : parseContinue(continueToken);
    if (!this.#history(resource).knows(from.version, this.#version)) {
      throw expired('The provided continue parameter is too old to display a consistent list result.');
    }
    const page = this.#table(resource).list({ namespace, filter, limit, afterKey: from.key });
    return {
      items: page.items,
      resourceVersion: String(from.version),
      continueToken: page.remaining === 0 ? '' : continueText(from.version, page.lastKey),
      remaining: page.remaining,
    };
  }

  /** The objects that the object of this uid owns. */
  ownedBy(uid: string): { resource: Resource; object: ApiObject }[] {
    return this.#owners.ownedBy(uid).flatMap(({ resource, namespace, name }) => {
      const object = this.get(resource, namespace, name);
      return object ? [{ resource, object }] : [];
    });
  }

  /**
   * Tells of the changes after a version, then of all that come, until the returned function is called.
   * Throws a 410 if that version is too old. A listener may not throw.
   */
  watch(
    resource: Resource,
    scope: WatchScope & { readonly from: number },
    listener: (event: WatchEvent) => void,
  ): () => void {
    const history = this.#history(resource);
    if (!history.knows(scope.from, this.#version)) {
      throw expired(`too old resource version: ${scope.from} (${history.oldest})`);
    }
    return history.watch(scope, scope.from, listener);
  }

  /**
   * Makes the changes, in their order, and tells the watches. An object that is made durably is in the log from then on,
   * with its durable changes; any other is only in memory, whoever changes it, and gone after a restart.
   * @returns the objects as stored, in the same order.
   */
  commit(changes: readonly ObjectChange[], { durable }: { readonly durable: boolean }): (ApiObject | undefined)[] {
    const records: JsonObject[] = [];
    const stored = changes.map((change) => this.#commitOne(change, durable ? records : undefined));
    // One record, so that a crash leaves all of them or none.
    const [first] = records;
    if (first) this.#log?.append(records.length === 1 ? first : { together: records });
    if (this.#log && this.#log.size > this.#compactAtBytes) this.#compact(this.#log);
    return stored;
  }

  /** Resolves when every durable change so far is on the disk. */
  async flushed(): Promise<void> {
    await this.#log?.flushed();
  }

  /** Writes what is left to write. */
  async close(): Promise<void> {
    await this.#log?.close();
  }

  /** @param records takes what the log is to have of a durable change; absent if the change is not durable. */
  #commitOne(
    { resource, before, after, origin }: ObjectChange,
    records: JsonObject[] | undefined,
  ): ApiObject | undefined {
    const last = after ?? before;
    invariant(last, 'a change has an object before or after it');
    const [table, namespace, name] = [this.#table(resource), namespaceOf(last), nameOf(last)];
    const earlier = table.get(namespace, name);
    const isDurable = earlier ? earlier.durable : records !== undefined;
    this.#version += 1;
    const stamped = withMetadata(last, { ...last.metadata, resourceVersion: String(this.#version) });
    if (before) this.#owners.forget(resource, before);
    if (after) {
      const asksTheSame = before !== undefined && sameJson(before.metadata.generation, stamped.metadata.generation);
      const entry = {
        object: stamped,
        durable: isDurable,
        origin: origin ?? (asksTheSame ? earlier?.origin : undefined),
      };
      this.#put(resource, entry);
      if (isDurable) records?.push(putRecord(entry));
    } else {
      table.remove(namespace, name);
      if (isDurable) records?.push({ remove: stamped });
    }
    const change = { version: this.#version, before, after: after && stamped, last: stamped };
    this.#history(resource).record(change);
    return change.after;
  }

  #put(resource: Resource, entry: Entry): void {
    this.#table(resource).put(entry);
    this.#owners.add(resource, entry.object);
  }

  #compact(log: WriteAheadLog): void {
    const durable = [...this.#tables.values()].flatMap((table) =>
      [...table.entries()].filter((entry) => entry.durable),
    );
    log.replace([{ version: this.#version }, ...durable.map(putRecord)]);
    this.#compactAtBytes = Math.max(MIN_COMPACTED_BYTES, COMPACTION_FACTOR * log.size);
  }

  #replay(records: readonly JsonObject[]): void {
    for (const record of records.flatMap(singleRecords)) {
      const object = objectAt(record, 'put' in record ? 'put' : 'remove') as ApiObject;
      this.#version = Math.max(this.#version, numberAt(record, 'version'), Number(versionOf(object)));
      const resource = resourceOfKind(textAt(object, 'apiVersion'), textAt(object, 'kind'));
      if (!resource) continue;
      const [namespace, name] = [namespaceOf(object), nameOf(object)];
      const before = this.get(resource, namespace, name);
      if (before) this.#owners.forget(resource, before);
      const origin = at(record, 'origin');
      if ('put' in record)
        this.#put(resource, { object, durable: true, origin: isObject(origin) ? origin : undefined });
      else this.#table(resource).remove(namespace, name);
    }
    if (records.length > 0) this.#version += RESTART_GAP;
  }

  #table(resource: Resource): ObjectTable {
    const table = this.#tables.get(resource);
    invariant(table, `${resource.plural} has a table`);
    return table;
  }

  #history(resource: Resource): WatchHistory {
    const history = this.#histories.get(resource);
    invariant(history, `${resource.plural} has a history`);
    return history;
  }
}

function singleRecords(record: JsonObject): JsonObject[] {
  return 'together' in record ? listAt(record, 'together').filter(isObject) : [record];
}

function putRecord({ object, origin }: Entry): JsonObject {
  return { put: object, ...(origin === undefined ? {} : { origin }) };
}

function continueText(version: number, key: string): string {
  return Buffer.from(JSON.stringify({ version, key })).toString('base64url');
}

function parseContinue(token: string): { version: number; key: string } {
  try {
    const value = JSON.parse(Buffer.from(token, 'base64url').toString()) as JsonValue;
    const version = at(value, 'version');
    if (typeof version === 'number') return { version, key: textAt(value, 'key') };
  } catch {
    // It is no token of this server: said below.
  }
  throw badRequest('continue key is not valid');
}
