import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';

// Imported, it would load Node's WebSocket client too: 12 MB and 30 ms.
const { request } = process.getBuiltinModule('node:http');

/** Where a Kubernetes API is: on a Unix socket, or at an https URL with its authority (PEM) and a token. */
export type ApiLocation =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string; readonly caPem?: string; readonly token?: string };

/** An answer that is no success, or a watch that ended with an error. `code` is HTTP's. */
export class KubeError extends Error {
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KubeError';
    this.code = code;
  }
}

const ANSWER_TIMEOUT_MS = 30_000; // of a server that hangs: the headers of an answer come at once
const MAX_COMPLAINT_BYTES = 64 * 1024;

/**
 * The answer to a GET, its body yet to be read. Throws KubeError for anything but 200, and the errors of node:http.
 * The signal ends the request, and its body too.
 */
export async function getFrom(location: ApiLocation, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  const response = await answerOf(location, path, signal);
  if (response.statusCode === 200) return response;
  const complaint = await boundedText(response, MAX_COMPLAINT_BYTES);
  throw new KubeError(response.statusCode ?? 0, `${path}: ${response.statusCode ?? 0} ${messageOf(complaint)}`);
}

/** The body as text. Throws KubeError if it has more bytes than `max`. */
export async function boundedText(response: IncomingMessage, max: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > max) throw new KubeError(413, `the server's answer has more than ${max} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function answerOf(location: ApiLocation, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  const call = await callTo(location, path, signal);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      call.destroy(new KubeError(0, `the server has not answered within ${ANSWER_TIMEOUT_MS / 1000} s`));
    }, ANSWER_TIMEOUT_MS);
    const settle = (done: () => void): void => {
      clearTimeout(timer);
      done();
    };
    call.on('error', (error) => {
      settle(() => {
        reject(error);
      });
    });
    call.on('response', (response) => {
      settle(() => {
        resolve(response);
      });
    });
    call.end();
  });
}

async function callTo(location: ApiLocation, path: string, signal: AbortSignal): Promise<ClientRequest> {
  const headers = { accept: 'application/json' };
  const options: RequestOptions = { path, signal, agent: false };
  if (location.kind === 'socket') {
    return request({ ...options, socketPath: location.path, headers: { ...headers, host: 'localhost' } });
  }
  const { url, caPem, token } = location;
  const { request: tlsRequest } = await import('node:https'); // some megabytes, which a Unix socket does without
  return tlsRequest(new URL(path, url), {
    ...options,
    ...(caPem === undefined ? {} : { ca: caPem }),
    headers: token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` },
  });
}

/** What a Status says, or the text itself. */
function messageOf(text: string): string {
  try {
    const value = JSON.parse(text) as { readonly message?: unknown } | null;
    if (typeof value?.message === 'string') return value.message;
  } catch {
    // It is no Status.
  }
  return text.trim();
}
