import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer, type WebSocket } from 'ws';

/** An HTTP connection that a client wants to turn into a WebSocket. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Why a connection is closed. Source: RFC 6455 §7.4.1. */
export const CLOSE = { normal: 1000, protocolError: 1002, serverError: 1011 } as const;

const MAX_MESSAGE_BYTES = 4 << 20; // kubectl sends 32 KiB at most; other clients send a whole write of their user's
const PING_MS = 2_000; // how soon the death of a client is noticed that nothing is read from

/** A WebSocket of binary messages, neither end of which can outrun the other. */
export class MessageSocket {
  /** Aborted when the connection is closed, by whomever. */
  readonly closed: AbortSignal;
  readonly #socket: WebSocket;
  readonly #messages: Duplex;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    // One message is read ahead: a reader that waits stops the client.
    this.#messages = createWebSocketStream(socket, { readableObjectMode: true, readableHighWaterMark: 1 });
    this.#messages.on('error', () => undefined); // a broken connection is a closed one
    const closing = new AbortController();
    this.closed = closing.signal;
    const pinging = setInterval(() => socket.ping(), PING_MS);
    socket.on('close', () => {
      clearInterval(pinging);
      closing.abort();
    });
  }

  /** Answers the upgrade with this subprotocol. Resolves when the connection is open; never if it breaks before. */
  static accept({ request, socket, head }: Upgrade, protocol: string): Promise<MessageSocket> {
    // ws takes a slash for a mistake, as RFC 6455 does, but port-forward's subprotocol has one.
    delete request.headers['sec-websocket-protocol'];
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
    });
    server.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${protocol}`));
    return new Promise((resolve) => {
      server.handleUpgrade(request, socket, head, (accepted) => resolve(new MessageSocket(accepted)));
    });
  }

  /** The client's messages until the connection is closed. A text message closes it. */
  async *messages(): AsyncGenerator<Buffer> {
    try {
      for await (const message of this.#messages as AsyncIterable<Buffer | string>) {
        if (typeof message === 'string') this.close(CLOSE.protocolError, 'binary messages are expected');
        else yield message;
      }
    } catch {
      // The connection broke.
    }
  }

  /** Sends a message. Resolves when the kernel has it; or when the connection is closed, and then it is lost. */
  send(message: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.send(message, () => resolve());
    });
  }

  /** Closes the connection. `reason`: at most 123 bytes. */
  close(code: number, reason = ''): void {
    this.#socket.close(code, reason);
  }
}

/** Whether a client asks for a WebSocket, and not for another protocol. */
export function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return (headers.upgrade ?? '').toLowerCase() === 'websocket';
}

/** The first of these subprotocols that the client offers. */
export function offeredProtocol<T extends string>({ headers }: IncomingMessage, known: readonly T[]): T | undefined {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((text) => text.trim());
  return known.find((protocol) => offered.includes(protocol));
}
