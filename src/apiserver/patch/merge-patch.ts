import { isObject, type JsonValue } from '../../manifest/json.ts';

/** The value after a merge patch: null deletes, objects are merged, all else is replaced. Source: RFC 7396. */
export function mergePatch(value: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(value) ? value : {}));
  for (const [name, item] of Object.entries(patch)) {
    if (item === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), item));
  }
  return Object.fromEntries(merged);
}
