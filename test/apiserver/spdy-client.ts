import { once } from 'node:events';
import type { WebSocket } from 'ws';
import { HeaderCodec } from '../../src/apiserver/streams/spdy-headers.ts';

/** What a client has seen of a stream: its bytes, and whether it has ended or been reset. */
export interface SeenStream {
  text: string;
  bytes: number;
  end: 'open' | 'ended' | 'reset';
}

/** A SYN_STREAM frame with a compressed header block. */
export function openFrame(stream: number, headers: Uint8Array): Buffer {
  return controlFrame(1, Buffer.concat([uint32(stream), uint32(0), Buffer.of(0, 0), headers]));
}

export function controlFrame(type: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0x80, 3, 0, type, 0), uint32(payload.length).subarray(1), payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A client of port-forward that is not kubectl: it can do what kubectl would not. */
export class SpdyClient {
  readonly socket: WebSocket;
  readonly seen = new Map<number, SeenStream>();
  readonly pings: Buffer[] = [];
  readonly #codec = new HeaderCodec();
  readonly #news = new EventTarget();
  #rest = Buffer.alloc(0);
  #next = 1;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (message: Buffer) => this.#read(message));
  }

  /** Opens the two streams of a connection. @returns their numbers. */
  async open(port: number | string, request: string): Promise<{ error: number; data: number }> {
    const [error, data] = [this.#next, this.#next + 2];
    this.#next += 4;
    const common = [
      ['port', String(port)],
      ['requestid', request],
    ] as const;
    for (const [stream, kind] of [
      [error, 'error'],
      [data, 'data'],
    ] as const) {
      this.seen.set(stream, { text: '', bytes: 0, end: 'open' });
      this.socket.send(openFrame(stream, await this.#codec.encode(new Map([['streamtype', kind], ...common]))));
    }
    return { error, data };
  }

  send(stream: number, bytes: Uint8Array | string, last = false): void {
    const data = Buffer.from(bytes);
    this.socket.send(Buffer.concat([uint32(stream), Buffer.of(last ? 1 : 0), uint32(data.length).subarray(1), data]));
  }

  /** Resolves with what was seen of a stream when the condition holds. */
  async until(stream: number, holds: (seen: SeenStream) => boolean): Promise<SeenStream> {
    for (;;) {
      const seen = this.seen.get(stream);
      if (seen && holds(seen)) return seen;
      await once(this.#news, 'news');
    }
  }

  #read(message: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, message]);
    while (this.#rest.length >= 8 && this.#rest.length >= 8 + this.#rest.readUIntBE(5, 3)) {
      const length = 8 + this.#rest.readUIntBE(5, 3);
      this.#take(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
    }
    this.#news.dispatchEvent(new Event('news'));
  }

  #take(frame: Buffer): void {
    if ((frame[0] ?? 0) < 0x80) {
      const seen = this.seen.get(frame.readUInt32BE(0));
      if (!seen) return;
      if (seen.bytes < 1 << 16) seen.text += frame.subarray(8).toString();
      seen.bytes += frame.length - 8;
      if (frame[4] === 1) seen.end = 'ended';
    } else if (frame[3] === 3) {
      const seen = this.seen.get(frame.readUInt32BE(8));
      if (seen) seen.end = 'reset';
    } else if (frame[3] === 6) this.pings.push(frame);
  }
}
