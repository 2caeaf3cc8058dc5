import { Agent, Server as HttpServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Socket } from 'node:net';
import { RequestError, Server, type PrepareRequestFunctionOpts, type PrepareRequestFunctionResult } from 'proxy-chain';
import { printableLine } from '../report/printable.ts';
import { dialOut, EgressRefusal } from './egress-dial.ts';

/** What an egress gateway is started with. */
export interface EgressGatewayOptions {
  /** Its own pod, NAMESPACE/NAME. */
  readonly pod: string;
  readonly port: number;
  /** The Unix socket of the lab, which says what policies allow. */
  readonly controlSocket: string;
  /** Takes a line for each request. */
  readonly tell: (line: string) => void;
}

const NAME = 'netpol-lab';
const MANY_LISTENERS = 30; // two pipelines and an HTTP server have a dozen on one connection

/**
 * An HTTP proxy for pods that knows them by their addresses. It dials only what policies allow the client, each time by
 * the policies in force. Client ─ HTTP, or CONNECT ─▶ this process ─ TCP ─▶ the address that the lab has allowed.
 */
export class EgressGateway implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens in this process's network, in all families that it has. */
  static async start(options: EgressGatewayOptions): Promise<EgressGateway> {
    const server = new Server({
      port: options.port,
      authRealm: NAME,
      prepareRequestFunction: (asked) => wayOut(asked, options),
    });
    await server.listen();
    return new EgressGateway(server);
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#server.port;
  }

  /** Ends it, and all that goes through it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close(true);
  }
}

/** Dials before anything is promised to the client, so that it hears how that went. */
async function wayOut(
  { request, hostname, port, isHttp }: PrepareRequestFunctionOpts,
  { pod, controlSocket, tell }: EgressGatewayOptions,
): Promise<PrepareRequestFunctionResult> {
  const { remoteAddress = '', remotePort = 0 } = request.socket;
  const client = remoteAddress.replace(/^::ffff:/, '');
  const say = (outcome: string): void => {
    tell(printableLine(`${client} "${request.method ?? ''} ${request.url ?? ''}" ${outcome}`));
  };
  const gone = goneSignal(request);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const route = { gateway: pod, controlSocket, client, clientPort: remotePort, host, port };
  try {
    const socket = await dialOut({ ...route, gone, allowHalfOpen: !isHttp });
    say(`to ${socket.remoteAddress ?? ''}`);
    if (isHttp) return { httpAgent: new DialledAgent(socket) };
    // What the client has sent by then goes on its way.
    gone.addEventListener('abort', () => {
      socket.destroySoon();
    });
    return { customConnectServer: tunnelTo(socket) };
  } catch (error) {
    if (!(error instanceof EgressRefusal)) throw error;
    say(`${error.status} ${error.message}`);
    throw new RequestError(`${error.message}\n`, error.status, { 'Proxy-Status': proxyStatus(error) });
  }
}

/** `netpol-lab; error=http_request_denied; details="…"`. Source: RFC 9209. */
function proxyStatus({ error, message }: EgressRefusal): string {
  const details = message.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&');
  return `${NAME}; error=${error}; details="${details}"`;
}

const goneSignals = new WeakMap<Socket, AbortSignal>();

/** Aborts when the client's connection is gone. One for all requests that come on it. */
function goneSignal({ socket }: IncomingMessage): AbortSignal {
  const known = goneSignals.get(socket);
  if (known) return known;
  const leaving = new AbortController();
  const leave = (): void => {
    leaving.abort();
  };
  if (socket.destroyed) leave();
  else socket.once('close', leave);
  goneSignals.set(socket, leaving.signal);
  return leaving.signal;
}

/** An agent for one request, over a connection that there is already. */
class DialledAgent extends Agent {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ keepAlive: false });
    this.#socket = socket;
  }

  override createConnection(): Socket {
    return this.#socket;
  }
}

/** Takes the client's connection from proxy-chain once it has been told that it is connected. */
function tunnelTo(socket: Socket): HttpServer {
  const server = new HttpServer();
  server.removeAllListeners('connection');
  server.once('connection', (client: Duplex) => {
    for (const end of [client, socket]) end.setMaxListeners(MANY_LISTENERS);
    // Each direction ends by itself; what breaks one ends both.
    void Promise.allSettled([pipeline(client, socket), pipeline(socket, client)]);
  });
  return server;
}
