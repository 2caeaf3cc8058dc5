import type { JsonObject } from '../../manifest/json.ts';
import { jsonOf, versionOf, type ApiObject } from '../api-object.ts';
import type { ObjectList } from '../object-store.ts';
import { apiVersionOf, type Resource } from '../registry.ts';
import { columnDefinitions, partialObject, tableOf, tableRow, type TableRequest } from '../table/table.ts';
import type { Exchange } from './exchange.ts';

/** Sends one object in the form that the client wants. */
export function sendObject(
  exchange: Exchange,
  object: ApiObject,
  { now, code = 200 }: { now: Date; code?: number },
): void {
  switch (exchange.form) {
    case 'object':
      exchange.sendText(jsonOf(object), code);
      break;
    case 'partial':
      exchange.send(partialObject(object), code);
      break;
    case 'table': {
      const rows = [tableRow(object, tableRequest(exchange, object.kind, now))];
      exchange.send(tableOf(rows, { resourceVersion: versionOf(object) }, columnDefinitions(object.kind)), code);
    }
  }
}

/** Sends a list in the form that the client wants. */
export function sendList(exchange: Exchange, resource: Resource, { list, now }: { list: ObjectList; now: Date }): void {
  const { kind } = resource;
  const metadata: JsonObject = {
    resourceVersion: list.resourceVersion,
    ...(list.continueToken === '' ? {} : { continue: list.continueToken, remainingItemCount: list.remaining }),
  };
  switch (exchange.form) {
    case 'object': {
      const head = JSON.stringify({ kind: `${kind}List`, apiVersion: apiVersionOf(resource), metadata });
      exchange.sendText(`${head.slice(0, -1)},"items":[${list.items.map(jsonOf).join(',')}]}`);
      break;
    }
    case 'partial': {
      const items = list.items.map(partialObject);
      exchange.send({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items });
      break;
    }
    case 'table': {
      const request = tableRequest(exchange, kind, now);
      const rows = list.items.map((object) => tableRow(object, request));
      exchange.send(tableOf(rows, metadata, columnDefinitions(kind)));
    }
  }
}

/** What a table of this request holds. */
export function tableRequest(exchange: Exchange, kind: string, now: Date): TableRequest {
  const include = exchange.parameter('includeObject');
  return { kind, now, include: include === 'Object' || include === 'None' ? include : 'Metadata' };
}
