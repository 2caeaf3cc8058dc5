import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Writes to a stream. Resolves when it takes more, or takes nothing any more, and then the bytes may be lost. */
export async function pacedWrite(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.writableEnded || stream.write(bytes)) return;
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]).catch(() => undefined);
  waiting.abort();
}
