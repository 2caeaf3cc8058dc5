import { ageText } from '../model/age.ts';
import { columnsOf } from './object-columns.ts';
import { textField } from './json-field.ts';
import { table } from './table.ts';

/** Which columns a table of objects has. `nowMs` is what ages are reckoned from, in Unix time. */
export interface ObjectTableOptions {
  readonly wide: boolean;
  readonly withNamespace: boolean;
  readonly nowMs: number;
}

/** Objects of one kind, in Kubernetes' JSON, as `kubectl get` shows them. */
export function objectTable(kind: string, objects: readonly unknown[], options: ObjectTableOptions): string {
  const columns = columnsOf(kind).filter(({ wide }) => options.wide || wide !== true);
  const withAge = columns.map((column) =>
    column.title === 'AGE' ? { ...column, cell: (object: unknown) => ageOf(object, options.nowMs) } : column,
  );
  const namespace = { title: 'NAMESPACE', cell: (object: unknown) => textField(object, ['metadata', 'namespace'], '') };
  const shown = options.withNamespace ? [namespace, ...withAge] : withAge;
  return table([shown.map(({ title }) => title), ...objects.map((object) => shown.map(({ cell }) => cell(object)))]);
}

function ageOf(object: unknown, nowMs: number): string {
  const created = Date.parse(textField(object, ['metadata', 'creationTimestamp'], ''));
  return Number.isNaN(created) ? '<unknown>' : ageText(nowMs - created);
}
