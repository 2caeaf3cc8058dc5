import type { IncomingMessage } from 'node:http';
import { isList, isObject, type JsonObject, type JsonValue } from '../../manifest/json.ts';
import { readDocuments } from '../../manifest/yaml-document.ts';
import { decodeObject } from '../protobuf/decode-object.ts';
import { ApiError, badRequest, unsupportedMediaType } from '../status.ts';

const MAX_BODY_BYTES = 3 * 1024 * 1024; // the API server's limit, MaxRequestBodyBytes
const MAX_DEPTH = 100; // no Kubernetes object is a third as deep

/** The media type of a request's body, without its parameters. */
export function mediaTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The request's body. Throws a 413 if it is too long; what still comes then is thrown away. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (request.headers['content-encoding'] !== undefined) throw unsupportedMediaType(['application/json']);
  const chunks: Buffer[] = [];
  let length = 0;
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge(request);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) throw tooLarge(request);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw badRequest('the body ended before it was complete');
  }
  return Buffer.concat(chunks);
}

/** The object that a body of this media type holds. Throws a 400 if it holds none, a 415 for other types. */
export function objectIn(body: Buffer, mediaType: string): JsonObject {
  const value = valueIn(body, mediaType);
  if (!isObject(value)) throw badRequest("couldn't get version/kind; json parse error: the body is no object");
  return value;
}

/** The value that a body of this media type holds. */
export function valueIn(body: Buffer, mediaType: string): JsonValue {
  switch (mediaType) {
    case 'application/vnd.kubernetes.protobuf':
      return decodeObject(body);
    case 'application/yaml':
    case 'application/apply-patch+yaml':
      return checked(yamlIn(body.toString()));
    case '':
    case 'application/json':
    case 'application/json-patch+json':
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
      return checked(jsonIn(body.toString()));
    default:
      throw unsupportedMediaType(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']);
  }
}

function jsonIn(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : ''}`);
  }
}

function yamlIn(text: string): JsonValue {
  // kubectl's YAML is JSON, which has a faster reader.
  if (text.startsWith('{')) {
    try {
      return JSON.parse(text) as JsonValue;
    } catch {
      // YAML's flow mappings begin like this too.
    }
  }
  const [document, ...others] = readDocuments(text);
  if (document?.kind !== 'value' || others.length > 0)
    throw badRequest('error decoding YAML: one document is expected');
  return document.value;
}

/** The value, if nothing in it is deeper than code that walks through it may go, and no key touches prototypes. */
function checked(value: JsonValue): JsonValue {
  const rest: { value: JsonValue; depth: number }[] = [{ value, depth: 0 }];
  for (let next = rest.pop(); next; next = rest.pop()) {
    const { value: current, depth } = next;
    if (depth > MAX_DEPTH) throw badRequest(`the body is nested deeper than ${MAX_DEPTH} levels`);
    if (isList(current)) for (const item of current) rest.push({ value: item, depth: depth + 1 });
    else if (isObject(current)) {
      if (Object.hasOwn(current, '__proto__')) throw badRequest('the key "__proto__" is not allowed');
      for (const item of Object.values(current)) rest.push({ value: item, depth: depth + 1 });
    }
  }
  return value;
}

function tooLarge(request: IncomingMessage): ApiError {
  // Reading on without keeping lets the client see the answer before its connection breaks.
  request.resume();
  return new ApiError({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: limit is ${MAX_BODY_BYTES}`,
  });
}
