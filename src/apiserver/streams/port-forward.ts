import { PassThrough, type Duplex } from 'node:stream';
import { pacedWrite } from './paced-write.ts';
import { dataFrame, replyFrame, resetFrame, SpdyError, SpdyReader, type SpdyFrame } from './spdy-frame.ts';
import { HeaderCodec } from './spdy-headers.ts';
import { CLOSE, type MessageSocket } from './web-socket.ts';

/** The subprotocol: SPDY/3.1 frames inside binary messages, cut anywhere. Source: KEP-4006. */
export const PORT_FORWARD_PROTOCOL = 'SPDY/3.1+portforward.k8s.io';

const MAX_CONNECTIONS = 1_000;
const NO_BYTES = new Uint8Array();

/** A connection to a port of a pod: two streams of the client's, one for its bytes and one for an error. */
interface Forwarded {
  readonly port: number;
  readonly errorStream: number;
  readonly dataStream: number;
  /** What the client sends; the connection may still be being made. */
  readonly input: PassThrough;
}

/** Carries connections of a client to ports of a pod until either is gone. `connect` rejects with what the client is told. */
export async function servePortForward(
  socket: MessageSocket,
  connect: (port: number) => Promise<Duplex>,
): Promise<void> {
  using forward = new PortForward(socket, connect);
  const reader = new SpdyReader();
  let broken = false;
  for await (const message of socket.messages()) {
    if (broken) continue; // until the client has heard of it
    try {
      for (const frame of reader.read(message)) await forward.take(frame);
    } catch (error) {
      broken = true;
      const reason = error instanceof SpdyError ? error.message : 'internal error';
      socket.close(error instanceof SpdyError ? CLOSE.protocolError : CLOSE.serverError, reason);
    }
  }
}

class PortForward implements Disposable {
  readonly #socket: MessageSocket;
  readonly #connect: (port: number) => Promise<Duplex>;
  readonly #headers = new HeaderCodec();
  /** Error streams whose data stream has not come yet, by the client's number of the request. */
  readonly #waiting = new Map<string, number>();
  readonly #open = new Map<number, Forwarded>();
  #lastStream = 0;

  constructor(socket: MessageSocket, connect: (port: number) => Promise<Duplex>) {
    this.#socket = socket;
    this.#connect = connect;
  }

  [Symbol.dispose](): void {
    for (const { input } of this.#open.values()) input.destroy();
    this.#headers[Symbol.dispose]();
  }

  /** Does what a frame asks for. Resolves when the next may come. Throws SpdyError. */
  async take(frame: SpdyFrame): Promise<void> {
    switch (frame.kind) {
      case 'open':
        await this.#openStream(frame.stream, await this.#headers.decode(frame.headers));
        break;
      case 'headers':
        await this.#headers.decode(frame.headers); // the next block is compressed with this one
        break;
      case 'data':
        await this.#pass(frame);
        break;
      case 'reset':
        this.#open.get(frame.stream)?.input.destroy();
        break;
      case 'ping':
        if (frame.id % 2 === 1) await this.#socket.send(frame.frame); // else it is an answer
        break;
      case 'goAway':
        break; // the client closes the connection when it is ready to
    }
  }

  async #openStream(stream: number, headers: ReadonlyMap<string, string>): Promise<void> {
    if (stream % 2 === 0 || stream <= this.#lastStream) throw new SpdyError(`a stream of the number ${stream}`);
    this.#lastStream = stream;
    const request = headers.get('requestid') ?? '';
    const port = portIn(headers.get('port') ?? '');
    const errorStream = this.#waiting.get(request);
    const kind = headers.get('streamtype');
    if (port === undefined || (kind === 'data' ? errorStream === undefined : kind !== 'error')) {
      await this.#socket.send(resetFrame(stream, 1));
      return;
    }
    if (this.#open.size + this.#waiting.size >= MAX_CONNECTIONS) {
      await this.#socket.send(resetFrame(stream, 3));
      return;
    }
    await this.#socket.send(replyFrame(stream, await this.#headers.encode(new Map())));
    if (kind === 'error' || errorStream === undefined) {
      this.#waiting.set(request, stream);
      return;
    }
    this.#waiting.delete(request);
    const forwarded = { port, errorStream, dataStream: stream, input: new PassThrough() };
    this.#open.set(stream, forwarded);
    void this.#carry(forwarded);
  }

  /** Passes on what a client sends to a port. A connection that takes nothing stops the others of this client too. */
  async #pass({ stream, bytes, last }: SpdyFrame & { kind: 'data' }): Promise<void> {
    const input = this.#open.get(stream)?.input;
    if (!input) return; // it has ended meanwhile, or is an error stream
    if (bytes.length > 0) await pacedWrite(input, bytes);
    if (last) input.end();
  }

  /** Makes a connection and carries it to its end. Never rejects. */
  async #carry({ port, errorStream, dataStream, input }: Forwarded): Promise<void> {
    let problem = '';
    try {
      const target = await this.#connect(port);
      input.once('close', () => {
        if (!input.readableEnded) target.destroy();
      });
      if (input.destroyed) target.destroy();
      input.pipe(target);
      await this.#sendAll(dataStream, target);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    this.#open.delete(dataStream);
    input.destroy();
    await this.#socket.send(dataFrame(dataStream, NO_BYTES, true));
    await this.#socket.send(dataFrame(errorStream, Buffer.from(problem), true));
  }

  async #sendAll(stream: number, target: Duplex): Promise<void> {
    try {
      for await (const bytes of target as AsyncIterable<Buffer>)
        await this.#socket.send(dataFrame(stream, bytes, false));
    } catch {
      // Reset by either end. The client's end of it is closed, which is all that can be said.
    }
  }
}

function portIn(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port < 1 << 16 ? port : undefined;
}
