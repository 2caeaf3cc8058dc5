import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { invariant } from '../../model/invariant.ts';
import type { ApiObject } from '../api-object.ts';
import type { ApiStore } from '../api-store.ts';
import { answerReview } from '../discovery/reviews.ts';
import type { Resource } from '../registry.ts';
import { ApiError, badRequest, internalError, methodNotAllowed, noSuchPath, notFound } from '../status.ts';
import type { ServerCertificate } from './certificate.ts';
import { Exchange } from './exchange.ts';
import { GeneralRequests } from './general-requests.ts';
import { Guard } from './guard.ts';
import type { PodStreamRequest, PodStreams } from './pod-streams.ts';
import { parseTarget } from './request-target.ts';
import { ResourceRequests } from './resource-requests.ts';
import { routeOf, type Route } from './route.ts';

// Imported, it would load Node's WebSocket client too: 12 MB and 30 ms.
const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http');

/** What the server serves, to whom, and where. */
export interface ApiServerOptions {
  readonly store: ApiStore;
  /** What a client has to know; absent: nothing. */
  readonly token?: string;
  /** Absent: plain HTTP, over which kubectl sends no token. */
  readonly certificate?: ServerCertificate;
  /** The port on 127.0.0.1; any free one if absent. */
  readonly port?: number;
  /** The descriptor of a bound socket to listen on instead of a port. */
  readonly fd?: number;
  /** The path of a Unix socket to listen on instead of a port; who may open it needs no token. */
  readonly path?: string;
  /** What answers logs, exec, attach and port-forward; absent: nothing does. */
  readonly streams?: PodStreams;
  /** How long a client may take to send a request. */
  readonly requestTimeoutMs?: number;
}

const MAX_HEADER_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 90_000; // as long as Go's clients keep idle connections
const LINGER_MS = 1000;
const MAX_CONNECTIONS = 1000;

/** The Kubernetes API of a store on a loopback port or a Unix socket. */
export class ApiServer {
  readonly #server: Server;
  readonly #guard: Guard;
  readonly #general = new GeneralRequests();
  readonly #resources: ResourceRequests;
  readonly #store: ApiStore;
  readonly #streams: PodStreams | undefined;
  readonly #scheme: string;
  /** Connections that streams have taken over: the HTTP server does not know them any more. */
  readonly #upgraded = new Set<Duplex>();

  private constructor(options: ApiServerOptions) {
    const { certificate, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
    this.#guard = new Guard(options.token);
    this.#store = options.store;
    this.#resources = new ResourceRequests(options.store);
    this.#streams = options.streams;
    this.#scheme = certificate ? 'https' : 'http';
    const limits = {
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
    };
    this.#server = certificate
      ? createTlsServer({
          ...limits,
          handshakeTimeout: requestTimeoutMs,
          cert: certificate.certificatePem,
          key: certificate.keyPem,
        })
      : createServer(limits);
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('request', (request, response) => void this.#answer(request, response));
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#server.on('clientError', (error, socket) => refuseClient(error, socket));
  }

  /** Starts to listen. */
  static async start(options: ApiServerOptions): Promise<ApiServer> {
    const server = new ApiServer(options);
    const { path, fd, port = 0 } = options;
    if (path !== undefined) server.#server.listen(path);
    else if (fd !== undefined) server.#server.listen({ fd });
    else server.#server.listen(port, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  /** The server's address: `https://127.0.0.1:PORT`; not for one on a Unix socket. */
  get url(): string {
    const address = this.#server.address();
    invariant(typeof address === 'object' && address, 'the server listens on a port');
    return `${this.#scheme}://127.0.0.1:${address.port}`;
  }

  /** Ends all watches and streams and stops to listen. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Answers one request; whatever happens, with an answer. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const failing = new Exchange(request, response, new URLSearchParams());
    try {
      this.#guard.check(request);
      const { segments, query } = parseTarget(request.url ?? '');
      const exchange = new Exchange(request, response, query);
      if (!this.#general.answer(exchange, segments)) await this.#dispatch(exchange, routeOf(segments));
    } catch (error) {
      failing.fail(error);
    }
  }

  async #dispatch(exchange: Exchange, route: Route | undefined): Promise<void> {
    if (!route) throw noSuchPath();
    if (route.kind === 'review') {
      if (exchange.request.method !== 'POST') throw methodNotAllowed();
      exchange.send(answerReview(route.review, await exchange.object()), 201);
      return;
    }
    const stream = this.#streamOf(exchange.request, route, exchange.query);
    if (!stream) await this.#resources.answer(exchange, route);
    else if (this.#streams) await this.#streams.answer(stream, exchange.response);
    else throw noSuchPath();
  }

  /** Answers a request that wants the connection itself. */
  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.#upgraded.add(socket);
    socket.on('close', () => this.#upgraded.delete(socket));
    socket.on('error', () => socket.destroy());
    try {
      this.#guard.check(request);
      const { segments, query } = parseTarget(request.url ?? '');
      const route = routeOf(segments);
      const stream = route?.kind === 'resource' ? this.#streamOf(request, route, query) : undefined;
      if (!stream || !this.#streams) throw route ? badRequest('nothing is to be upgraded here') : noSuchPath();
      await this.#streams.upgrade(stream, socket, head);
    } catch (error) {
      refuse(socket, error instanceof ApiError ? error : internalError(error instanceof Error ? error.message : ''));
    }
  }

  /** What a request wants of a pod's streams, if it does. Throws a 404 if there is no such pod. */
  #streamOf(
    request: IncomingMessage,
    { resource, namespace, name, subresource }: Route & { kind: 'resource' },
    query: URLSearchParams,
  ): PodStreamRequest | undefined {
    switch (subresource) {
      case 'attach':
      case 'exec':
      case 'log':
      case 'portforward':
        return { podObject: this.#pod(resource, namespace, name), subresource, query, request };
      default:
        return undefined;
    }
  }

  #pod(resource: Resource, namespace: string, name: string): ApiObject {
    const pod = this.#store.objects.get(resource, namespace, name);
    if (!pod) throw notFound(resource, name);
    return pod;
  }
}

/** Answers what is no HTTP, too long, or too slow. */
function refuseClient(error: NodeJS.ErrnoException, socket: Duplex): void {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      refuse(socket, plainError(431, 'RequestHeaderFieldsTooLarge', 'the request line and headers are too long'));
      break;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      refuse(socket, plainError(408, 'Timeout', 'the request took too long to arrive'));
      break;
    default:
      refuse(socket, badRequest('the request is malformed'));
  }
}

function plainError(code: number, reason: string, message: string): ApiError {
  return new ApiError({ code, reason, message });
}

/** Answers with a Status where there is no response object, and closes the connection. */
function refuse(socket: Duplex, { code, status }: ApiError): void {
  if (socket.writableEnded) return; // more of the same mistake
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(status);
  const head = [
    `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // A connection that is closed while the client still sends is reset, and the client does not see the answer.
  socket.removeAllListeners('data');
  socket.resume();
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(linger));
}
