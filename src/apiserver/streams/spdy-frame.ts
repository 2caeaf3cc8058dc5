/**
 * A frame of SPDY/3.1, without those that nothing is done about (SETTINGS, WINDOW_UPDATE and unknown ones).
 * Source: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1, §2.2 and §2.6.
 */
export type SpdyFrame =
  | { readonly kind: 'data'; readonly stream: number; readonly last: boolean; readonly bytes: Buffer }
  | { readonly kind: 'open'; readonly stream: number; readonly last: boolean; readonly headers: Buffer }
  | { readonly kind: 'headers'; readonly stream: number; readonly last: boolean; readonly headers: Buffer }
  | { readonly kind: 'reset'; readonly stream: number }
  | { readonly kind: 'ping'; readonly id: number; readonly frame: Buffer }
  | { readonly kind: 'goAway' };

/** What breaks the protocol: the connection cannot go on. */
export class SpdyError extends Error {}

const HEAD_BYTES = 8;
const MAX_FRAME_BYTES = 1 << 20; // kubectl's have 32 KiB at most
const VERSION = 3;
const FIN = 1;
const STREAM_MASK = 0x7fffffff;
const TYPE = { open: 1, reply: 2, reset: 3, ping: 6, goAway: 7, headers: 8 } as const;

/** Takes frames out of bytes that come in any pieces. Keeps at most one unfinished frame. */
export class SpdyReader {
  #rest = Buffer.alloc(0);

  /** The frames that these bytes complete. Throws SpdyError. */
  *read(bytes: Uint8Array): Generator<SpdyFrame> {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= HEAD_BYTES) {
      const length = this.#rest.readUIntBE(5, 3);
      if (length > MAX_FRAME_BYTES) throw new SpdyError(`a frame of ${length} bytes`);
      if (this.#rest.length < HEAD_BYTES + length) return;
      const frame = this.#rest.subarray(0, HEAD_BYTES + length);
      this.#rest = this.#rest.subarray(HEAD_BYTES + length);
      const parsed = parseFrame(frame);
      if (parsed) yield parsed;
    }
  }
}

/** @returns undefined for frames that nothing is done about. */
function parseFrame(frame: Buffer): SpdyFrame | undefined {
  const payload = frame.subarray(HEAD_BYTES);
  const last = ((frame[4] ?? 0) & FIN) !== 0;
  const head = frame.readUInt32BE(0);
  if (head <= STREAM_MASK) return { kind: 'data', stream: head, last, bytes: payload };
  const version = (head >>> 16) & 0x7fff;
  if (version !== VERSION) throw new SpdyError(`SPDY version ${version}`);
  return parseControl(frame, { type: head & 0xffff, payload, last });
}

function parseControl(
  frame: Buffer,
  { type, payload, last }: { readonly type: number; readonly payload: Buffer; readonly last: boolean },
): SpdyFrame | undefined {
  switch (type) {
    case TYPE.open:
      return { kind: 'open', stream: numberAt(payload, 0) & STREAM_MASK, last, headers: partOf(payload, 10) };
    case TYPE.headers:
      return { kind: 'headers', stream: numberAt(payload, 0) & STREAM_MASK, last, headers: partOf(payload, 4) };
    case TYPE.reset:
      return { kind: 'reset', stream: numberAt(payload, 0) & STREAM_MASK };
    case TYPE.ping:
      return { kind: 'ping', id: numberAt(payload, 0), frame: Buffer.from(frame) };
    case TYPE.goAway:
      return { kind: 'goAway' };
    case TYPE.reply:
      throw new SpdyError('an answer to a stream that was never opened from here');
    default:
      return undefined;
  }
}

/** A DATA frame; `last` ends this direction of the stream. */
export function dataFrame(stream: number, bytes: Uint8Array, last: boolean): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES + bytes.length);
  frame.writeUInt32BE(stream, 0);
  frame[4] = last ? FIN : 0;
  frame.writeUIntBE(bytes.length, 5, 3);
  frame.set(bytes, HEAD_BYTES);
  return frame;
}

/** A SYN_REPLY frame with a compressed header block. */
export function replyFrame(stream: number, headers: Uint8Array): Buffer {
  return controlFrame(TYPE.reply, stream, headers);
}

/** An RST_STREAM frame. `status`: 1 is a protocol error, 3 a refused stream. */
export function resetFrame(stream: number, status: 1 | 3): Buffer {
  return controlFrame(TYPE.reset, stream, Uint8Array.of(0, 0, 0, status));
}

function controlFrame(type: number, stream: number, rest: Uint8Array): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES + 4 + rest.length);
  frame.writeUInt32BE(((1 << 31) | (VERSION << 16) | type) >>> 0, 0);
  frame.writeUIntBE(4 + rest.length, 5, 3);
  frame.writeUInt32BE(stream, HEAD_BYTES);
  frame.set(rest, HEAD_BYTES + 4);
  return frame;
}

function numberAt(payload: Buffer, offset: number): number {
  if (payload.length < offset + 4) throw new SpdyError('a frame that is too short');
  return payload.readUInt32BE(offset);
}

function partOf(payload: Buffer, offset: number): Buffer {
  if (payload.length < offset) throw new SpdyError('a frame that is too short');
  return payload.subarray(offset);
}
