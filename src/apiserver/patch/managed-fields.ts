import { fieldOf, isObject, type JsonObject } from '../../manifest/json.ts';
import { listAt, objectAt, textAt, without, type ApiObject } from '../api-object.ts';
import { applyConflict, type StatusCause } from '../status.ts';
import {
  changedFields,
  difference,
  fieldsOf,
  intersection,
  isEmpty,
  pathsOf,
  union,
  type FieldSet,
} from './field-set.ts';
import { rulesOf } from './list-rules.ts';

/** Who writes, how, and when. */
export interface Writer {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource: string;
  readonly time: string;
}

/** One entry of `metadata.managedFields`. */
interface ManagedEntry {
  readonly manager: string;
  readonly operation: string;
  readonly subresource: string;
  readonly apiVersion: string;
  readonly time: string;
  readonly fields: FieldSet;
}

/** The object with the record of who wrote what after this writer's update. */
export function recordUpdate(before: ApiObject | undefined, after: ApiObject, writer: Writer): ApiObject {
  const rules = rulesOf(after.kind);
  const [old, fresh] = [owned(before ?? {}), owned(after)];
  const changed = changedFields(old, fresh, rules);
  const gone = difference(fieldsOf(old, rules), fieldsOf(fresh, rules));
  // Managed fields that the writer himself changed stand as he wrote them.
  const entries = entriesOf(after).map((entry) => ({
    ...entry,
    fields: difference(isWriter(entry, writer) ? entry.fields : difference(entry.fields, changed), gone),
  }));
  if (isEmpty(changed) && isEmpty(gone)) return withEntries(after, entriesOf(after));
  const own = entries.find((entry) => isWriter(entry, writer));
  const entry = { ...writer, apiVersion: after.apiVersion, fields: union(own?.fields ?? {}, changed) };
  return withEntries(after, [...entries.filter((one) => one !== own), entry]);
}

/** The object with the record of who wrote what after an apply: `applied` is what its manager wants. */
export function recordApply(after: ApiObject, writer: Writer, applied: FieldSet): ApiObject {
  const others = entriesOf(after).filter((entry) => !isWriter(entry, writer));
  return withEntries(after, [...others, { ...writer, apiVersion: after.apiVersion, fields: applied }]);
}

/** The object as it is after others have lost these fields to an applier who forces. */
export function takeFromOthers(object: ApiObject, writer: Writer, taken: FieldSet): ApiObject {
  const entries = entriesOf(object).map((entry) =>
    isWriter(entry, writer) ? entry : { ...entry, fields: difference(entry.fields, taken) },
  );
  return withEntries(object, entries);
}

/** The fields that the writer's last apply set. */
export function fieldsOfWriter(object: ApiObject, writer: Writer): FieldSet {
  return entriesOf(object).find((entry) => isWriter(entry, writer))?.fields ?? {};
}

/** The fields that anyone else has. */
export function fieldsOfOthers(object: ApiObject, writer: Writer): FieldSet {
  return entriesOf(object)
    .filter((entry) => !isWriter(entry, writer))
    .reduce<FieldSet>((all, { fields }) => union(all, fields), {});
}

/** Throws a 409 if others have any of the fields that the applier wants to be different. */
export function assertNoConflict(object: ApiObject, writer: Writer, changed: FieldSet): void {
  const causes: StatusCause[] = entriesOf(object).flatMap((entry) => {
    if (isWriter(entry, writer)) return [];
    const paths = pathsOf(intersection(changed, entry.fields));
    const below = entry.subresource === '' ? '' : ` with subresource "${entry.subresource}"`;
    const message = `conflict with "${entry.manager}"${below} using ${entry.apiVersion}`;
    return paths.map((field) => ({ reason: 'FieldManagerConflict', message, field }));
  });
  if (causes.length > 0) throw applyConflict(conflictText(causes), causes);
}

/** Source: structured-merge-diff, Conflicts.Error. */
function conflictText(causes: readonly StatusCause[]): string {
  const [first] = causes;
  if (causes.length === 1 && first) return `Apply failed with 1 conflict: ${first.message}: ${first.field}`;
  const byMessage = Map.groupBy(causes, ({ message }) => message);
  const blocks = [...byMessage].map(([message, own]) =>
    own.length === 1
      ? `${message}: ${own[0]?.field ?? ''}`
      : `${message.replace('conflict', 'conflicts')}:\n${own.map(({ field }) => `- ${field}`).join('\n')}`,
  );
  return `Apply failed with ${causes.length} conflicts: ${blocks.join('\n')}`;
}

/** What of an object has owners: not what the server itself writes. */
export function owned(object: JsonObject): JsonObject {
  const metadata = without(objectAt(object, 'metadata'), ...SERVER_FIELDS);
  return {
    ...without(object, 'apiVersion', 'kind', 'metadata'),
    ...(isEmpty(metadata as FieldSet) ? {} : { metadata }),
  };
}

/** The metadata that the server itself writes. */
export function serverMetadata(object: ApiObject): ApiObject['metadata'] {
  const own = Object.entries(object.metadata).filter(([name]) => SERVER_FIELDS.includes(name));
  return { ...Object.fromEntries(own), name: object.metadata.name };
}

const SERVER_FIELDS = [
  ...['name', 'namespace', 'generateName', 'uid', 'resourceVersion', 'generation', 'selfLink'],
  ...['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'managedFields'],
];

function isWriter(entry: ManagedEntry, writer: Writer): boolean {
  return (
    entry.manager === writer.manager && entry.operation === writer.operation && entry.subresource === writer.subresource
  );
}

function entriesOf(object: ApiObject): ManagedEntry[] {
  return listAt(object, 'metadata', 'managedFields').map((entry) => {
    const fields = isObject(entry) ? fieldOf(entry, 'fieldsV1') : undefined;
    return {
      manager: textAt(entry, 'manager'),
      operation: textAt(entry, 'operation'),
      subresource: textAt(entry, 'subresource'),
      apiVersion: textAt(entry, 'apiVersion'),
      time: textAt(entry, 'time'),
      fields: isFieldSet(fields) ? fields : {},
    };
  });
}

function isFieldSet(value: unknown): value is FieldSet {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isFieldSet);
}

function withEntries(object: ApiObject, entries: readonly ManagedEntry[]): ApiObject {
  const managedFields = entries
    .filter(({ fields }) => !isEmpty(fields))
    .map(({ fields, subresource, ...entry }) => ({
      apiVersion: entry.apiVersion,
      fieldsType: 'FieldsV1',
      fieldsV1: fields,
      manager: entry.manager,
      operation: entry.operation,
      ...(subresource === '' ? {} : { subresource }),
      time: entry.time,
    }));
  const metadata = { ...without(object.metadata, 'managedFields'), name: object.metadata.name };
  return { ...object, metadata: managedFields.length === 0 ? metadata : { ...metadata, managedFields } };
}
