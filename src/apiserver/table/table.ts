import type { JsonObject } from '../../manifest/json.ts';
import type { ApiObject } from '../api-object.ts';
import { columnsOf } from './columns.ts';

/** What goes with a table's rows. */
export interface TableRequest {
  readonly kind: string;
  readonly now: Date;
  /** What each row has of its object. */
  readonly include: 'Metadata' | 'Object' | 'None';
}

/** The definitions of a kind's columns, as a table begins with them. */
export function columnDefinitions(kind: string): JsonObject[] {
  return columnsOf(kind).map(({ name, type, wide }) => ({
    name,
    type,
    format: name === 'Name' ? 'name' : '',
    description: '',
    priority: wide ? 1 : 0,
  }));
}

/** One row: the object's cells, and the object as the request wants it. */
export function tableRow(object: ApiObject, { kind, now, include }: TableRequest): JsonObject {
  const cells = columnsOf(kind).map(({ cell }) => cell(object, now));
  const shown = include === 'Object' ? object : include === 'None' ? undefined : partialObject(object);
  return { cells, ...(shown ? { object: shown } : {}) };
}

/** The object's metadata alone. */
export function partialObject(object: ApiObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

/** A table of these rows. A watch sends the columns with its first event alone. */
export function tableOf(rows: readonly JsonObject[], metadata: JsonObject, columns: readonly JsonObject[]): JsonObject {
  return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: columns, rows };
}
