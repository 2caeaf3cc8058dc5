import { fieldOf, isList, isObject, type JsonObject, type JsonValue } from '../manifest/json.ts';

/** The metadata of a stored object. */
export interface ObjectMetadata extends JsonObject {
  readonly name: string;
}

/** An object of the API. Stored ones are never changed, only replaced. */
export interface ApiObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
}

/** The value at the path; undefined as soon as a step leads nowhere. */
export function at(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  let current = value;
  for (const step of path) {
    if (!isObject(current)) return undefined;
    current = fieldOf(current, step);
  }
  return current;
}

/** The text at the path; empty if there is none. */
export function textAt(value: JsonValue | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** The number at the path; 0 if there is none. */
export function numberAt(value: JsonValue | undefined, ...path: readonly string[]): number {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : 0;
}

/** The list at the path; empty if there is none. */
export function listAt(value: JsonValue | undefined, ...path: readonly string[]): readonly JsonValue[] {
  const found = at(value, ...path);
  return isList(found) ? found : [];
}

/** The object at the path; empty if there is none. */
export function objectAt(value: JsonValue | undefined, ...path: readonly string[]): JsonObject {
  const found = at(value, ...path);
  return isObject(found) ? found : {};
}

/** The texts of the map at the path, as labels are. */
export function textMapAt(value: JsonValue | undefined, ...path: readonly string[]): ReadonlyMap<string, string> {
  const pairs = Object.entries(objectAt(value, ...path));
  return new Map(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}

/** The namespace of an object; empty if it has none. */
export function namespaceOf(object: JsonObject): string {
  return textAt(object, 'metadata', 'namespace');
}

/** The name of an object; empty if it has none yet. */
export function nameOf(object: JsonObject): string {
  return textAt(object, 'metadata', 'name');
}

/** The resourceVersion of an object; empty if it has none yet. */
export function versionOf(object: JsonObject): string {
  return textAt(object, 'metadata', 'resourceVersion');
}

/** The uid of an object; empty if it has none yet. */
export function uidOf(object: JsonObject): string {
  return textAt(object, 'metadata', 'uid');
}

/** The object without these fields. */
export function without(object: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/** The object with other metadata. */
export function withMetadata<T extends JsonObject>(object: T, metadata: ObjectMetadata): T {
  return { ...object, metadata };
}

/** Whether both say the same; the order of an object's fields does not matter. */
export function sameJson(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  if (one === other) return true;
  if (isList(one)) {
    return isList(other) && one.length === other.length && one.every((item, index) => sameJson(item, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && sameJson(one[name], other[name]))
  );
}

const texts = new WeakMap<JsonObject, string>();

/** The object's JSON, made once: lists and watches send the same object many times. */
export function jsonOf(object: JsonObject): string {
  const known = texts.get(object);
  if (known !== undefined) return known;
  const text = JSON.stringify(object);
  texts.set(object, text);
  return text;
}
