import type { JsonObject } from '../manifest/json.ts';
import { namespaceOf, nameOf, type ApiObject } from './api-object.ts';
import type { ObjectFilter } from './selectors.ts';

/** A stored object. A durable one is in the log. */
export interface Entry {
  readonly object: ApiObject;
  readonly durable: boolean;
  /** Where it was written, if that is known. */
  readonly origin: JsonObject | undefined;
}

/** `NAMESPACE/NAME`: the key of an object among those of its resource. */
function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** The objects of one resource, by namespace and name. */
export class ObjectTable {
  readonly #entries = new Map<string, Entry>();
  /** The keys in order; made when a list asks for them. */
  #sorted: readonly string[] | undefined;

  get(namespace: string, name: string): Entry | undefined {
    return this.#entries.get(keyOf(namespace, name));
  }

  put(entry: Entry): void {
    const key = keyOf(namespaceOf(entry.object), nameOf(entry.object));
    if (!this.#entries.has(key)) this.#sorted = undefined;
    this.#entries.set(key, entry);
  }

  remove(namespace: string, name: string): void {
    if (this.#entries.delete(keyOf(namespace, name))) this.#sorted = undefined;
  }

  entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  /**
   * The objects in the order of their keys, after `afterKey`, at most `limit` of them (0: all).
   * `remaining` counts the keys that were not looked at; it is 0 if there are no more.
   */
  list(scope: {
    readonly namespace: string;
    readonly filter: ObjectFilter | undefined;
    readonly afterKey: string;
    readonly limit: number;
  }): { items: ApiObject[]; lastKey: string; remaining: number } {
    this.#sorted ??= [...this.#entries.keys()].sort();
    const prefix = scope.namespace === '' ? '' : `${scope.namespace}/`;
    const keys = this.#sorted;
    const items: ApiObject[] = [];
    let lastKey = '';
    for (let index = firstAfter(keys, scope.afterKey); index < keys.length; index += 1) {
      const key = keys[index] ?? '';
      if (!key.startsWith(prefix)) continue;
      const entry = this.#entries.get(key);
      if (!entry || (scope.filter && !scope.filter(entry.object))) continue;
      if (scope.limit > 0 && items.length === scope.limit) {
        const rest = keys.slice(index).filter((one) => one.startsWith(prefix));
        return { items, lastKey, remaining: rest.length };
      }
      items.push(entry.object);
      lastKey = key;
    }
    return { items, lastKey, remaining: 0 };
  }
}

/** The index of the first key behind the given one. */
function firstAfter(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
