import type { JsonObject } from '../../manifest/json.ts';
import {
  AGGREGATED_TYPE,
  aggregated,
  apiGroup,
  apiGroups,
  apiResources,
  apiVersions,
  VERSION,
} from '../discovery/discovery.ts';
import { OPENAPI_V2_PROTOBUF, openapiV2, openapiV2Protobuf } from '../discovery/openapi-v2.ts';
import { openapiV3, openapiV3Index } from '../discovery/openapi-v3.ts';
import { methodNotAllowed, noSuchPath } from '../status.ts';
import type { Exchange } from './exchange.ts';

const HEALTH = ['healthz', 'livez', 'readyz'];

/** Answers what is about the server itself: health, version, discovery, OpenAPI. */
export class GeneralRequests {
  #openapi: ReturnType<typeof openapiV3> | undefined;

  /** Answers one request. @returns false if the path is none of these. */
  answer(exchange: Exchange, segments: readonly string[]): boolean {
    const [root = '', ...rest] = segments;
    const isGeneral =
      segments.length === 0 ||
      [...HEALTH, 'version', 'openapi'].includes(root) ||
      (root === 'api' && rest.length < 2) ||
      (root === 'apis' && rest.length < 3);
    if (!isGeneral) return false;
    if (exchange.request.method !== 'GET' && exchange.request.method !== 'HEAD') throw methodNotAllowed();
    if (HEALTH.includes(root)) exchange.sendText('ok', 200, 'text/plain; charset=utf-8');
    else if (root === 'openapi') this.#openApi(exchange, rest);
    else if (root === 'api' || root === 'apis') discovery(exchange, root, rest);
    else if (root === 'version' && rest.length === 0) exchange.send(VERSION);
    else if (root === '')
      exchange.send({
        paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version'],
      });
    else throw noSuchPath();
    return true;
  }

  #openApi(exchange: Exchange, [version, ...rest]: readonly string[]): void {
    if (version === 'v2' && rest.length === 0) {
      const protobuf = (exchange.request.headers.accept ?? '').includes('proto-openapi');
      if (protobuf) exchange.sendText(openapiV2Protobuf(), 200, OPENAPI_V2_PROTOBUF);
      else exchange.send(openapiV2());
      return;
    }
    if (version !== 'v3') throw noSuchPath();
    this.#openapi ??= openapiV3();
    if (rest.length === 0) {
      exchange.send(openapiV3Index(this.#openapi));
      return;
    }
    const document = this.#openapi.get(rest.join('/'));
    if (!document) throw noSuchPath();
    exchange.response.setHeader('ETag', `"${document.hash}"`);
    exchange.response.setHeader('Cache-Control', 'public, immutable');
    exchange.sendText(document.text);
  }
}

function discovery(exchange: Exchange, root: 'api' | 'apis', path: readonly string[]): void {
  const [first, second] = path;
  if (first === undefined) {
    if (wantsAggregated(exchange.request.headers.accept)) {
      exchange.sendText(JSON.stringify(aggregated(root === 'api')), 200, AGGREGATED_TYPE);
    } else exchange.send(root === 'api' ? apiVersions(exchange.request.headers.host ?? '') : apiGroups());
    return;
  }
  exchange.send(found(root, first, second));
}

function found(root: 'api' | 'apis', first: string, second: string | undefined): JsonObject {
  const answer =
    root === 'api'
      ? apiResources({ group: '', version: first })
      : second === undefined
        ? apiGroup(first)
        : apiResources({ group: first, version: second });
  if (!answer) throw noSuchPath();
  return answer;
}

function wantsAggregated(accept = ''): boolean {
  const first = accept.split(',').find((range) => range.includes('json'));
  return first?.includes('as=APIGroupDiscoveryList') === true && accept.includes('v=v2;');
}
