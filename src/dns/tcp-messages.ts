const LENGTH_BYTES = 2;

// A question is at most 271 bytes; what else a client may send (cookies, padding, a signature) stays far below.
const MAX_QUERY_BYTES = 4096;

/**
 * Splits a byte stream into the DNS messages that it carries, each behind its length in two bytes (RFC 1035 §4.2.2),
 * however the stream is cut into chunks. Ends at a message that is too long to be a query.
 */
export async function* messagesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let pending = Buffer.alloc(0);
  for await (const chunk of stream) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= LENGTH_BYTES) {
      const length = pending.readUInt16BE(0);
      if (length > MAX_QUERY_BYTES) return;
      const end = LENGTH_BYTES + length;
      if (pending.length < end) break;
      yield pending.subarray(LENGTH_BYTES, end);
      pending = pending.subarray(end);
    }
  }
}

/** The message behind its length, as a stream carries it. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
