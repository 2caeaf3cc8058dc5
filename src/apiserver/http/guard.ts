import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ApiError, forbiddenRequest } from '../status.ts';

const HOSTS = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Who may ask: programs on this machine that have the token; no page in a browser. */
export class Guard {
  readonly #digest: Buffer | undefined;

  /** Without a token nobody is asked for one. */
  constructor(token: string | undefined) {
    this.#digest = token === undefined ? undefined : digestOf(token);
  }

  /** Throws a 403 for requests under foreign names or from web pages, a 401 without the token. */
  check(request: IncomingMessage): void {
    const host = (request.headers.host ?? '').replace(/:[0-9]+$/, '').toLowerCase();
    // A page whose name was made to point to this machine still says its own name.
    if (!HOSTS.has(host)) throw forbiddenRequest(`the host ${JSON.stringify(host)} is not served`);
    if (request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined) {
      throw forbiddenRequest('requests of web pages are not served');
    }
    if (this.#digest && !timingSafeEqual(this.#digest, digestOf(tokenOf(request)))) {
      throw new ApiError({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
    }
  }
}

function tokenOf({ headers }: IncomingMessage): string {
  return /^Bearer +([^ ]+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
