import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from '../../manifest/json.ts';
import { ApiError, badRequest, internalError } from '../status.ts';
import type { FieldValidation } from '../validation.ts';
import type { DryRun } from '../user-writes.ts';
import type { WriteOptions } from '../write-draft.ts';
import { answerForm, type AnswerForm } from './accept.ts';
import { mediaTypeOf, objectIn, readBody, valueIn } from './body.ts';

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;

  constructor(request: IncomingMessage, response: ServerResponse, query: URLSearchParams) {
    this.request = request;
    this.response = response;
    this.query = query;
  }

  /** The query's value of that name; empty if it has none. */
  parameter(name: string): string {
    return this.query.get(name) ?? '';
  }

  /** The form in which the client wants the answer. */
  get form(): AnswerForm {
    return answerForm(this.request.headers.accept);
  }

  /** The object in the body. */
  async object(): Promise<JsonObject> {
    return objectIn(await readBody(this.request), mediaTypeOf(this.request));
  }

  /** What is in the body, and its media type. */
  async value(): Promise<{ readonly mediaType: string; readonly value: ReturnType<typeof valueIn> }> {
    const mediaType = mediaTypeOf(this.request);
    return { mediaType, value: valueIn(await readBody(this.request), mediaType) };
  }

  /** The object in the body; an empty one if there is no body. */
  async optionalObject(): Promise<JsonObject> {
    const body = await readBody(this.request);
    return body.length === 0 ? {} : objectIn(body, mediaTypeOf(this.request));
  }

  /** What the query says of a write. Warnings go into the answer's headers. */
  writeOptions(): WriteOptions & DryRun {
    const manager = this.parameter('fieldManager');
    const agent = (this.request.headers['user-agent'] ?? '').split('/')[0] ?? '';
    return {
      dryRun: dryRunOf(this.query.getAll('dryRun')),
      fieldValidation: fieldValidationOf(this.parameter('fieldValidation')),
      fieldManager: manager || agent || 'unknown',
      warn: (text) => {
        const earlier = this.response.getHeader('Warning');
        const warning = `299 - ${JSON.stringify(printable(text))}`;
        this.response.setHeader('Warning', [...(Array.isArray(earlier) ? earlier : []), warning]);
      },
    };
  }

  /** Sends an object. */
  send(value: JsonObject, code = 200): void {
    this.sendText(JSON.stringify(value), code);
  }

  /** Sends JSON, or another text of the given type. */
  sendText(text: string | Buffer, code = 200, type = 'application/json'): void {
    this.response.writeHead(code, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
    this.response.end(this.request.method === 'HEAD' ? undefined : text);
  }

  /** Sends what went wrong as a Status; nothing if the answer has begun. */
  fail(error: unknown): void {
    const known = error instanceof ApiError ? error : internalError(error instanceof Error ? error.message : 'unknown');
    if (this.response.headersSent) {
      this.response.destroy();
      return;
    }
    // A body that nobody reads would stand in the way of the connection's next request.
    if (!this.request.complete) this.response.setHeader('Connection', 'close');
    if (known.code === 401) this.response.setHeader('WWW-Authenticate', 'Bearer');
    this.send(known.status, known.code);
  }
}

/** Whether nothing is to be stored. Throws a 400 for what is neither absent nor All. */
export function dryRunOf(values: readonly unknown[]): boolean {
  const unknown = values.find((value) => value !== 'All' && value !== '');
  if (unknown !== undefined)
    throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(unknown)}: supported values: "All"`);
  return values.includes('All');
}

function fieldValidationOf(text: string): FieldValidation {
  switch (text) {
    case 'Strict':
    case 'Warn':
    case 'Ignore':
      return text;
    case '':
      return 'Warn';
    default:
      throw badRequest(
        `fieldValidation: Unsupported value: ${JSON.stringify(text)}: supported values: "Ignore", "Strict", "Warn"`,
      );
  }
}

/** Headers hold one line of printable ASCII. */
function printable(text: string): string {
  return text.replace(/[^ -~]/g, '?');
}
