import { fieldOf, isList, isObject, type JsonObject, type JsonValue } from '../../manifest/json.ts';
import { sameJson } from '../api-object.ts';
import { rulesBelow, type FieldRule, type FieldRules } from './list-rules.ts';

/**
 * A set of fields in the form of `fieldsV1`: `f:NAME` is a field, `k:{…}` an item by its keys, `v:…` an item of a set,
 * `.` the item or field itself. A leaf is empty. Source: sigs.k8s.io/structured-merge-diff.
 */
export interface FieldSet {
  readonly [step: string]: FieldSet;
}

const LEAF: FieldSet = {};

/** Every field of the object. */
export function fieldsOf(object: JsonObject, rules: FieldRules): FieldSet {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [`f:${name}`, fieldsOfValue(value, rules[name])]),
  );
}

function fieldsOfValue(value: JsonValue, rule: FieldRule | undefined): FieldSet {
  if (rule?.kind === 'atomic') return LEAF;
  if (isObject(value)) return fieldsOf(value, rulesBelow(rule));
  if (!isList(value) || (rule?.kind !== 'list' && rule?.kind !== 'set')) return LEAF;
  return Object.fromEntries(
    value.map((item) => [
      stepOf(item, rule),
      isObject(item) && rule.kind === 'list' ? { '.': LEAF, ...fieldsOf(item, rule.fields) } : LEAF,
    ]),
  );
}

/** How the set names an item of a list. */
export function stepOf(item: JsonValue, rule: FieldRule): string {
  return rule.kind === 'list' && isObject(item) ? `k:${keysText(item, rule.applyKeys)}` : `v:${JSON.stringify(item)}`;
}

function keysText(item: JsonObject, keys: readonly string[]): string {
  // A protocol that is not written is TCP, whoever fills it in.
  const value = (key: string): JsonValue => fieldOf(item, key) ?? (key === 'protocol' ? 'TCP' : null);
  return JSON.stringify(Object.fromEntries([...keys].sort().map((key) => [key, value(key)])));
}

/** Whether the set has nothing in it. */
export function isEmpty(set: FieldSet): boolean {
  return Object.keys(set).length === 0;
}

/** The fields of both. */
export function union(one: FieldSet, other: FieldSet): FieldSet {
  const result: Record<string, FieldSet> = { ...one };
  for (const [step, below] of Object.entries(other)) result[step] = union(result[step] ?? LEAF, below);
  return result;
}

/** The fields of one that the other does not have; what becomes empty goes. */
export function difference(one: FieldSet, other: FieldSet): FieldSet {
  const entries = Object.entries(one).flatMap(([step, below]): [string, FieldSet][] => {
    const taken = Object.hasOwn(other, step) ? other[step] : undefined;
    if (!taken) return [[step, below]];
    const rest = difference(below, taken);
    return isEmpty(rest) ? [] : [[step, rest]];
  });
  return Object.fromEntries(entries);
}

/** The leaves that both have. */
export function intersection(one: FieldSet, other: FieldSet): FieldSet {
  const entries = Object.entries(one).flatMap(([step, below]): [string, FieldSet][] => {
    const same = Object.hasOwn(other, step) ? other[step] : undefined;
    if (!same) return [];
    if (isEmpty(below) || isEmpty(same)) return isEmpty(below) && isEmpty(same) ? [[step, LEAF]] : [];
    const both = intersection(below, same);
    return isEmpty(both) ? [] : [[step, both]];
  });
  return Object.fromEntries(entries);
}

/** The fields that are new or have another value in the second object. */
export function changedFields(before: JsonObject, after: JsonObject, rules: FieldRules): FieldSet {
  const entries = Object.entries(after).flatMap(([name, value]): [string, FieldSet][] => {
    const earlier = fieldOf(before, name);
    if (sameJson(earlier, value)) return [];
    return [[`f:${name}`, changedValue(earlier, value, rules[name])]];
  });
  return Object.fromEntries(entries);
}

function changedValue(before: JsonValue | undefined, after: JsonValue, rule: FieldRule | undefined): FieldSet {
  if (rule?.kind === 'atomic') return LEAF;
  if (isObject(before) && isObject(after)) return changedFields(before, after, rulesBelow(rule));
  if (!isList(before) || !isList(after) || (rule?.kind !== 'list' && rule?.kind !== 'set')) {
    return fieldsOfValue(after, rule);
  }
  const earlier = new Map(before.map((item) => [stepOf(item, rule), item]));
  const entries = after.flatMap((item): [string, FieldSet][] => {
    const step = stepOf(item, rule);
    const same = earlier.get(step);
    if (sameJson(same, item)) return [];
    if (isObject(same) && isObject(item)) return [[step, changedFields(same, item, rulesBelow(rule))]];
    return [[step, isObject(item) ? { '.': LEAF, ...fieldsOf(item, rulesBelow(rule)) } : LEAF]];
  });
  return Object.fromEntries(entries);
}

/** The object without these fields. */
export function withoutFields(object: JsonObject, set: FieldSet, rules: FieldRules): JsonObject {
  const entries = Object.entries(object).flatMap(([name, value]): [string, JsonValue][] => {
    const below = Object.hasOwn(set, `f:${name}`) ? set[`f:${name}`] : undefined;
    if (!below) return [[name, value]];
    const rest = withoutBelow(value, below, rules[name]);
    return rest === undefined ? [] : [[name, rest]];
  });
  return Object.fromEntries(entries);
}

function withoutBelow(value: JsonValue, set: FieldSet, rule: FieldRule | undefined): JsonValue | undefined {
  if (isEmpty(set)) return undefined;
  if (isObject(value)) {
    const rest = withoutFields(value, set, rulesBelow(rule));
    return isEmpty(rest as FieldSet) ? undefined : rest;
  }
  if (!isList(value) || (rule?.kind !== 'list' && rule?.kind !== 'set')) return value;
  const items = value.flatMap((item) => {
    const step = stepOf(item, rule);
    const below = Object.hasOwn(set, step) ? set[step] : undefined;
    if (!below) return [item];
    if (isEmpty(below) || Object.hasOwn(below, '.')) return [];
    return [isObject(item) ? withoutFields(item, below, rulesBelow(rule)) : item];
  });
  return items.length === 0 ? undefined : items;
}

/** The leaves as Kubernetes writes paths: `.spec.template.spec.containers[name="web"].image`. */
export function pathsOf(set: FieldSet, prefix = ''): string[] {
  return Object.entries(set).flatMap(([step, below]) => {
    if (step === '.') return [prefix];
    const path = `${prefix}${stepText(step)}`;
    return isEmpty(below) ? [path] : pathsOf(below, path);
  });
}

function stepText(step: string): string {
  const text = step.slice(2);
  if (step.startsWith('f:')) return `.${text}`;
  if (step.startsWith('v:')) return `[=${text}]`;
  const keys = Object.entries(JSON.parse(text) as JsonObject);
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
}
