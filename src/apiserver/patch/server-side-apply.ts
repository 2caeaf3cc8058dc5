import { fieldOf, isList, isObject, type JsonObject, type JsonValue } from '../../manifest/json.ts';
import { objectAt, type ApiObject } from '../api-object.ts';
import { changedFields, difference, fieldsOf, isEmpty, stepOf, withoutFields, type FieldSet } from './field-set.ts';
import { rulesBelow, rulesOf, type FieldRule, type FieldRules } from './list-rules.ts';
import {
  assertNoConflict,
  fieldsOfOthers,
  fieldsOfWriter,
  owned,
  recordApply,
  serverMetadata,
  takeFromOthers,
  type Writer,
} from './managed-fields.ts';

/** What to apply: as its manager wrote it, and the same with the server's defaults. */
export interface Applied {
  readonly written: JsonObject;
  readonly defaulted: JsonObject;
  readonly writer: Writer;
  readonly force: boolean;
}

/**
 * The object after a server-side apply: the manager's fields are as written, those that it set before and does not any
 * more are gone unless others have them. Throws a 409 if it would change what others have, unless forced.
 * The result is not validated and has no defaults.
 */
export function serverSideApply(live: ApiObject, { written, defaulted, writer, force }: Applied): ApiObject {
  const rules = rulesOf(live.kind);
  const wanted = fieldsOf(owned(written), rules);
  // Lists that are replaced whole are compared as the server stores them; other defaults belong to nobody.
  const values = pick(owned(defaulted), wanted, rules);
  const merged = mergeObject(owned(live), values, rules);
  const changed = changedFields(owned(live), merged, rules);
  if (!force) assertNoConflict(live, writer, changed);
  const given = force ? takeFromOthers(live, writer, changed) : live;
  const dropped = difference(difference(fieldsOfWriter(live, writer), wanted), fieldsOfOthers(given, writer));
  const kept = withoutFields(merged, dropped, rules);
  const metadata = { ...objectAt(kept, 'metadata'), ...serverMetadata(given) };
  return recordApply({ ...kept, apiVersion: live.apiVersion, kind: live.kind, metadata }, writer, wanted);
}

/** What of the object is in the set; items of lists with their keys. */
function pick(object: JsonObject, set: FieldSet, rules: FieldRules): JsonObject {
  const entries = Object.entries(object).flatMap(([name, value]): [string, JsonValue][] => {
    const below = Object.hasOwn(set, `f:${name}`) ? set[`f:${name}`] : undefined;
    return below ? [[name, pickBelow(value, below, rules[name])]] : [];
  });
  return Object.fromEntries(entries);
}

function pickBelow(value: JsonValue, set: FieldSet, rule: FieldRule | undefined): JsonValue {
  if (isEmpty(set)) return value;
  if (isObject(value)) return pick(value, set, rulesBelow(rule));
  if (!isList(value) || rule?.kind !== 'list') return value;
  return value.map((item) => {
    if (!isObject(item)) return item;
    const keys = Object.entries(item).filter(([name]) => rule.applyKeys.includes(name));
    return { ...Object.fromEntries(keys), ...pick(item, set[stepOf(item, rule)] ?? {}, rule.fields) };
  });
}

function mergeObject(live: JsonObject, values: JsonObject, rules: FieldRules): JsonObject {
  const changed = Object.entries(values).map(([name, value]): [string, JsonValue] => [
    name,
    mergeValue(fieldOf(live, name), value, rules[name]),
  ]);
  return { ...live, ...Object.fromEntries(changed) };
}

function mergeValue(live: JsonValue | undefined, value: JsonValue, rule: FieldRule | undefined): JsonValue {
  if (rule?.kind === 'atomic') return value;
  if (isObject(live) && isObject(value)) return mergeObject(live, value, rulesBelow(rule));
  if (!isList(live) || !isList(value)) return value;
  if (rule?.kind === 'set') return [...live, ...value.filter((item) => !live.includes(item))];
  return rule?.kind === 'list' ? mergeItems(live, value, rule) : value;
}

/** Items of both lists; those that both have are merged and keep their place. */
function mergeItems(live: readonly JsonValue[], values: readonly JsonValue[], rule: FieldRule): JsonValue[] {
  const byStep = new Map(live.map((item) => [stepOf(item, rule), item]));
  for (const item of values) {
    const step = stepOf(item, rule);
    const earlier = byStep.get(step);
    const both = isObject(earlier) && isObject(item);
    byStep.set(step, both ? mergeObject(earlier, item, rulesBelow(rule)) : item);
  }
  return [...byStep.values()];
}
