import type { JsonObject } from '../manifest/json.ts';
import { textAt, type ApiObject } from './api-object.ts';
import type { ObjectFilter } from './selectors.ts';

/** What a watch says of an object. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ApiObject;
}

/** One change of a resource, kept for those who watch from an earlier version. */
export interface RecordedChange {
  readonly version: number;
  readonly before: ApiObject | undefined;
  readonly after: ApiObject | undefined;
  /** What is left of a deleted object, with the version of its deletion. */
  readonly last: ApiObject;
}

/** What a watch is about. `namespace` is empty for all. */
export interface WatchScope {
  readonly namespace: string;
  readonly filter: ObjectFilter | undefined;
}

type Listener = (event: WatchEvent) => void;

interface Watcher extends WatchScope {
  readonly listener: Listener;
}

// A watch that lost its connection comes back within seconds; a relist is the answer for all others.
const KEPT_CHANGES = 4096;

/** The latest changes of one resource, and those who want to hear of the next. */
export class WatchHistory {
  #changes: RecordedChange[] = [];
  /** The version up to which changes are forgotten. */
  #forgotten: number;
  readonly #watchers = new Set<Watcher>();

  constructor(version: number) {
    this.#forgotten = version;
  }

  /** Keeps the change and tells everyone whom it concerns. */
  record(change: RecordedChange): void {
    this.#changes.push(change);
    if (this.#changes.length > 2 * KEPT_CHANGES) {
      this.#changes = this.#changes.slice(-KEPT_CHANGES);
      this.#forgotten = (this.#changes[0]?.version ?? change.version) - 1;
    }
    for (const watcher of this.#watchers) tell(watcher, change);
  }

  /** The version of the latest change; before the first that it hears of, the version that it began with. */
  get latest(): number {
    return this.#changes.at(-1)?.version ?? this.#forgotten;
  }

  /** The version before which nothing is known. */
  get oldest(): number {
    return this.#forgotten;
  }

  /** Whether all changes after the version are kept, and the version is not of the future. */
  knows(version: number, current: number): boolean {
    return version >= this.#forgotten && version <= current;
  }

  /** The changes after the version, then all that come. @returns a function that ends it. */
  watch(scope: WatchScope, version: number, listener: Listener): () => void {
    const watcher = { ...scope, listener };
    for (const change of this.#changes) if (change.version > version) tell(watcher, change);
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }
}

function tell({ namespace, filter, listener }: Watcher, change: RecordedChange): void {
  if (namespace !== '' && textAt(change.last, 'metadata', 'namespace') !== namespace) return;
  const event = eventOf(change, filter);
  if (event) listener(event);
}

/** The change as a watch with this filter sees it: an object that begins to match is new to it, one that stops is gone. */
function eventOf({ before, after, last }: RecordedChange, filter: ObjectFilter | undefined): WatchEvent | undefined {
  const matches = (object: JsonObject | undefined): boolean => object !== undefined && (!filter || filter(object));
  const [was, is] = [matches(before), matches(after)];
  if (!was && !is) return undefined;
  return { type: was && is ? 'MODIFIED' : is ? 'ADDED' : 'DELETED', object: last };
}
