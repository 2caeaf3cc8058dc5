import { namespaceOf } from '../apiserver/api-object.ts';
import { columnsOf } from '../apiserver/table/columns.ts';
import type { JsonObject } from '../manifest/json.ts';
import { table } from '../report/table.ts';

/** Which columns a table of objects has. Ages are reckoned from `now`. */
export interface ObjectTableOptions {
  readonly wide: boolean;
  readonly withNamespace: boolean;
  readonly now: Date;
}

/** Objects of one kind, in Kubernetes' JSON, as `kubectl get` shows them. */
export function objectTable(
  kind: string,
  objects: readonly JsonObject[],
  { wide, withNamespace, now }: ObjectTableOptions,
): string {
  const columns = columnsOf(kind).filter((column) => wide || !column.wide);
  const rows = objects.map((object) => [
    ...(withNamespace ? [namespaceOf(object)] : []),
    ...columns.map(({ cell }) => String(cell(object, now))),
  ]);
  const titles = [...(withNamespace ? ['NAMESPACE'] : []), ...columns.map(({ name }) => name.toUpperCase())];
  return table([titles, ...rows]);
}
