import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { answer } from './answer.ts';
import { framed, messagesOf } from './tcp-messages.ts';
import type { Zone } from './zone.ts';

/** Milliseconds after which a silent TCP connection is closed: CoreDNS' idle timeout, of the miekg/dns library. */
export const TCP_IDLE_MS = 8_000;

/** TCP connections at a time, each socket that listens; one more is closed at once. Only large answers need TCP. */
export const MAX_TCP_CONNECTIONS = 256;

/** What a server listens on and answers from. File descriptors are of bound sockets; those of TCP need not listen yet. */
export interface DnsServerOptions {
  /** UDP sockets of IPv4. */
  readonly udpFds: readonly number[];
  /** UDP sockets of IPv6: Node cannot send on a socket whose family it was not told. */
  readonly udp6Fds?: readonly number[];
  readonly tcpFds: readonly number[];
  /** The zone of this moment; called for every query. */
  readonly zone: () => Zone;
  /** TCP_IDLE_MS unless given. */
  readonly tcpIdleMs?: number;
}

/** Answers DNS queries on sockets that others have made, in whatever network namespace. */
export class DnsServer implements AsyncDisposable {
  readonly #zone: () => Zone;
  readonly #tcpIdleMs: number;
  readonly #udp: UdpSocket[] = [];
  readonly #tcp: Server[] = [];
  readonly #connections = new Set<Socket>();
  #closed: Promise<void> | undefined;

  private constructor(zone: () => Zone, tcpIdleMs: number) {
    this.#zone = zone;
    this.#tcpIdleMs = tcpIdleMs;
  }

  /**
   * Takes the file descriptors over: close() closes them. If one cannot be used, those taken so far are closed and
   * the error is thrown.
   */
  static async listen(options: DnsServerOptions): Promise<DnsServer> {
    const { udpFds, udp6Fds = [], tcpFds, zone, tcpIdleMs = TCP_IDLE_MS } = options;
    const server = new DnsServer(zone, tcpIdleMs);
    try {
      for (const fd of udpFds) await server.#listenUdp(fd, 'udp4');
      for (const fd of udp6Fds) await server.#listenUdp(fd, 'udp6');
      for (const fd of tcpFds) await server.#listenTcp(fd);
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** Closes every socket and connection. Safe to call again. */
  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listenUdp(fd: number, type: 'udp4' | 'udp6'): Promise<void> {
    const socket = createSocket(type);
    this.#udp.push(socket);
    socket.on('message', (query, client) => {
      this.#answerDatagram(socket, query, client);
    });
    const listening = once(socket, 'listening');
    socket.bind({ fd });
    await listening;
    socket.on('error', ignoreError);
    const { family } = socket.address();
    if (family !== (type === 'udp4' ? 'IPv4' : 'IPv6')) throw new TypeError(`the ${type} socket ${fd} is of ${family}`);
  }

  #answerDatagram(socket: UdpSocket, query: Buffer, client: RemoteInfo): void {
    // Nothing listens on port 0: a forged packet, and Node throws on sending there.
    if (client.port === 0) return;
    const response = answer(this.#zone(), query, 'udp');
    // A lost answer is the client's to ask for again; a policy may well forbid it (EPERM).
    if (response) socket.send(response, client.port, client.address, ignoreError);
  }

  async #listenTcp(fd: number): Promise<void> {
    const server = createServer((connection) => {
      this.#serve(connection);
    });
    server.maxConnections = MAX_TCP_CONNECTIONS;
    this.#tcp.push(server);
    const listening = once(server, 'listening');
    server.listen({ fd });
    await listening;
    server.on('error', ignoreError);
  }

  #serve(connection: Socket): void {
    this.#connections.add(connection);
    connection.on('close', () => this.#connections.delete(connection));
    connection.setTimeout(this.#tcpIdleMs, () => connection.destroy());
    // pipeline waits while a client does not read, ends the connection only after the last answer, and destroys it
    // if anything fails.
    pipeline(connection, (stream: AsyncIterable<Buffer>) => this.#responses(stream), connection).catch(ignoreError);
  }

  async *#responses(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const query of messagesOf(stream)) {
      const response = answer(this.#zone(), query, 'tcp');
      if (response) yield framed(response);
    }
  }

  async #closeAll(): Promise<void> {
    const closing = [...this.#udp, ...this.#tcp].map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.close(() => {
            resolve();
          });
        }),
    );
    for (const connection of this.#connections) connection.destroy();
    await Promise.all(closing);
  }
}

/** A client that went away, or one that could not be accepted (EMFILE), must not end the server: others still ask. */
function ignoreError(): undefined {
  return undefined;
}
