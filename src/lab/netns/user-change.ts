import {
  at,
  namespaceOf,
  nameOf,
  objectAt,
  sameJson,
  textMapAt,
  without,
  type ApiObject,
} from '../../apiserver/api-object.ts';
import type { ObjectChange } from '../../apiserver/object-store.ts';
import { manifestOf } from '../../apiserver/validation.ts';
import { isObject, type JsonObject, type JsonValue } from '../../manifest/json.ts';
import { matchKind } from '../../manifest/known-kinds.ts';
import type { ManifestObject } from '../../manifest/manifest.ts';
import { podKey } from '../../model/pod.ts';
import type { ObjectsChange } from './running-lab.ts';

/** Where verdicts say a policy comes from that kubectl has written. */
const SOURCE = 'kubectl';

// What the API server writes, and no manifest.
const SERVER_METADATA = ['creationTimestamp', 'generation', 'managedFields', 'resourceVersion', 'uid'];

type WrittenIn = (object: Pick<ManifestObject, 'kind' | 'namespace' | 'name'>) => ManifestObject | undefined;

/** What users' writes to the API ask of the lab; nothing of it for kinds that the lab only stores. */
export function labChangeOf(changes: readonly ObjectChange[], writtenIn: WrittenIn): ObjectsChange {
  const known = changes.filter(({ resource: { kind }, before, after }) => {
    return matchKind((after ?? before)?.apiVersion ?? '', kind).kind === 'known';
  });
  const parts = known.map(({ before, after }) => partOf(before, after, writtenIn));
  return {
    put: parts.flatMap(({ put = [] }) => put),
    remove: parts.flatMap(({ remove = [] }) => remove),
    label: parts.flatMap(({ label = [] }) => label),
    restart: parts.flatMap(({ restart = [] }) => restart),
  };
}

function partOf(
  before: ApiObject | undefined,
  after: ApiObject | undefined,
  writtenIn: WrittenIn,
): Partial<ObjectsChange> {
  const object = after ?? before;
  if (!object) return {};
  const target = { kind: object.kind, namespace: namespaceOf(object), name: nameOf(object) };
  const written = writtenIn(target);
  if (!after) {
    if (written) return { remove: [written] };
    // A workload's pod: the lab ends it, and makes it anew unless the workload goes too.
    return object.kind === 'Pod' ? { restart: [podKey(target)] } : {};
  }
  const labels = before ? changedLabels(before, after) : {};
  if (!before || written) {
    const value = before && written ? edited(before, after, written.value) : newlyWritten(after);
    const removed = Object.entries(labels).filter(([, label]) => label === null);
    return {
      put: [{ ...manifestOf(after, SOURCE), value }],
      // A label that was set since the object was written is not in what is written.
      label: removed.length > 0 && isLabelled(object) ? [{ ...target, labels: Object.fromEntries(removed) }] : [],
    };
  }
  return { label: Object.keys(labels).length > 0 && isLabelled(object) ? [{ ...target, labels }] : [] };
}

function isLabelled({ kind }: ApiObject): boolean {
  return kind === 'Pod' || kind === 'Namespace';
}

function newlyWritten(after: ApiObject): JsonObject {
  return { ...without(after, 'status'), metadata: without(objectAt(after, 'metadata'), ...SERVER_METADATA) };
}

/**
 * What is written, with the change made in it. What the API has filled in stays unwritten: a template that is as it was
 * is the same text, and so has the same pods.
 */
function edited(before: ApiObject, after: ApiObject, written: JsonObject): JsonObject {
  const value = changedParts(without(before, 'status'), without(after, 'status'), written);
  return { ...value, metadata: without(objectAt(value, 'metadata'), ...SERVER_METADATA) };
}

function changedParts(before: JsonObject, after: JsonObject, written: JsonObject): JsonObject {
  const names = [...new Set([...Object.keys(written), ...Object.keys(after)])];
  const fields = names.flatMap((name): [string, JsonValue][] => {
    const [old, fresh, own] = [at(before, name), at(after, name), at(written, name)];
    if (sameJson(old, fresh)) return own === undefined ? [] : [[name, own]];
    if (isObject(old) && isObject(fresh) && isObject(own)) return [[name, changedParts(old, fresh, own)]];
    return fresh === undefined ? [] : [[name, fresh]];
  });
  return Object.fromEntries(fields);
}

function changedLabels(before: ApiObject, after: ApiObject): Record<string, string | null> {
  const [old, fresh] = [before, after].map((object) => textMapAt(object, 'metadata', 'labels'));
  const set = [...(fresh ?? [])].filter(([key, value]) => old?.get(key) !== value);
  const removed = [...(old?.keys() ?? [])].filter((key) => fresh?.has(key) !== true);
  return Object.fromEntries([...set, ...removed.map((key): [string, null] => [key, null])]);
}
