import { fieldOf, isList, isObject, type JsonObject, type JsonValue } from '../../manifest/json.ts';
import { sameJson } from '../api-object.ts';
import { badRequest } from '../status.ts';
import { rulesBelow, type FieldRule, type FieldRules } from './list-rules.ts';

const ORDER = '$setElementOrder/';
const DELETE_FROM = '$deleteFromPrimitiveList/';

/**
 * The object after a strategic merge patch: a merge patch whose lists with keys are merged item by item.
 * Source: k8s.io/apimachinery/pkg/util/strategicpatch.
 */
export function strategicMerge(object: JsonObject, patch: JsonObject, rules: FieldRules): JsonObject {
  if (patch.$patch === 'replace') return plain(patch);
  const retained = fieldOf(patch, '$retainKeys');
  const fields = new Map(Object.entries(object).filter(([name]) => !isList(retained) || retained.includes(name)));
  for (const [name, value] of Object.entries(patch)) {
    if (name === '$patch' || name === '$retainKeys') continue;
    if (name.startsWith(DELETE_FROM)) dropItems(fields, name.slice(DELETE_FROM.length), value);
    else if (name.startsWith(ORDER)) continue;
    else if (value === null) fields.delete(name);
    else fields.set(name, merged(fields.get(name), value, rules[name]));
  }
  // The order speaks of the list as it is after the merge.
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith(ORDER))
      reorder(fields, name.slice(ORDER.length), { order: value, rule: rules[name.slice(ORDER.length)] });
  }
  if (patch.$patch === 'delete') return {};
  return Object.fromEntries(fields);
}

function merged(value: JsonValue | undefined, patch: JsonValue, rule: FieldRule | undefined): JsonValue {
  if (isObject(patch)) return strategicMerge(isObject(value) ? value : {}, patch, rulesBelow(rule));
  if (!isList(patch)) return patch;
  const items = isList(value) ? value : [];
  if (rule?.kind === 'set') return [...items, ...patch.filter((item) => !items.includes(item))];
  return rule?.kind === 'list'
    ? mergeItems(items, patch, rule)
    : patch.map((item) => (isObject(item) ? plain(item) : item));
}

type ListRule = FieldRule & { readonly kind: 'list' };

function mergeItems(items: readonly JsonValue[], patch: readonly JsonValue[], rule: ListRule): JsonValue[] {
  if (patch.some((item) => isObject(item) && item.$patch === 'replace')) {
    return patch.filter((item) => isObject(item) && item.$patch !== 'replace');
  }
  const result = [...items];
  for (const item of patch) {
    const key = isObject(item) ? fieldOf(item, rule.key) : undefined;
    if (!isObject(item) || key === undefined) throw badRequest(`map: does not contain declared merge key: ${rule.key}`);
    const index = result.findIndex((one) => isObject(one) && sameJson(fieldOf(one, rule.key), key));
    const earlier = result[index];
    if (item.$patch === 'delete') {
      if (index >= 0) result.splice(index, 1);
    } else if (isObject(earlier)) result[index] = strategicMerge(earlier, item, rule.fields);
    else result.push(strategicMerge({}, item, rule.fields));
  }
  return result;
}

function dropItems(fields: Map<string, JsonValue>, name: string, dropped: JsonValue): void {
  const list = fields.get(name);
  if (isList(list) && isList(dropped)) {
    fields.set(
      name,
      list.filter((item) => !dropped.includes(item)),
    );
  }
}

/** Items that the order names stand in its order; the others keep their place among them. */
function reorder(
  fields: Map<string, JsonValue>,
  name: string,
  { order, rule }: { order: JsonValue; rule: FieldRule | undefined },
): void {
  const list = fields.get(name);
  if (!isList(list) || !isList(order)) return;
  const identity = (item: JsonValue): JsonValue | undefined =>
    rule?.kind === 'list' && isObject(item) ? fieldOf(item, rule.key) : item;
  const wanted = order.map(identity);
  const placeOf = (item: JsonValue): number => wanted.findIndex((one) => sameJson(one, identity(item)));
  const named = list.filter((item) => placeOf(item) >= 0).sort((one, other) => placeOf(one) - placeOf(other));
  fields.set(
    name,
    list.map((item) => (placeOf(item) >= 0 ? (named.shift() ?? item) : item)),
  );
}

/** The value without the patch's own words and without nulls. */
function plain(value: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, item]) => !name.startsWith('$') && item !== null)
      .map(([name, item]) => [name, isObject(item) ? plain(item) : item]),
  );
}
