import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';
import { SpdyError } from './spdy-frame.ts';

// What both ends know before the first header. Source: SPDY/3.1 §2.6.10.1.
const DICTIONARY = Buffer.concat([
  ...[
    'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow',
    'authorization cache-control connection content-base content-encoding content-language content-length',
    'content-location content-md5 content-range content-type date etag expect expires from host if-match',
    'if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma',
    'proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade',
    'user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie',
    'keep-alive origin',
  ]
    .join(' ')
    .split(' ')
    .map((word) => field(word.replace('_', ' '))),
  Buffer.from(
    '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505' +
      '203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized' +
      '403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable' +
      'Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT' +
      'chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,' +
      'text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.',
  ),
]);
const MAX_BLOCK_BYTES = 64 << 10;
const FLUSHED = { dictionary: DICTIONARY, flush: constants.Z_SYNC_FLUSH };

/** Header blocks of one connection and direction: each is compressed with what came before. Disposable. */
export class HeaderCodec implements Disposable {
  readonly #inflate: Inflate = createInflate(FLUSHED);
  readonly #deflate: Deflate = createDeflate(FLUSHED);

  constructor() {
    for (const stream of [this.#inflate, this.#deflate]) stream.on('error', () => undefined); // it closes as well
  }

  /** Reads a compressed block, in the order in which they came. Throws SpdyError if it is none, or too long. */
  async decode(block: Uint8Array): Promise<ReadonlyMap<string, string>> {
    return parseBlock(await through(this.#inflate, block));
  }

  /** Compresses a block, in the order in which they are sent. */
  encode(headers: ReadonlyMap<string, string>): Promise<Buffer> {
    return through(this.#deflate, formatBlock(headers));
  }

  [Symbol.dispose](): void {
    this.#inflate.destroy();
    this.#deflate.destroy();
  }
}

/** What comes out of a compressor for what goes in. */
function through(stream: Inflate | Deflate, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_BLOCK_BYTES) stream.destroy();
    };
    const fail = (): void => reject(new SpdyError('a header block that cannot be read'));
    if (stream.destroyed) fail();
    stream.on('data', take).once('close', fail);
    stream.write(bytes, () => {
      stream.off('data', take).off('close', fail);
      if (stream.destroyed) fail();
      else resolve(Buffer.concat(chunks));
    });
  });
}

function parseBlock(block: Buffer): ReadonlyMap<string, string> {
  let offset = 0;
  const number = (): number => {
    if (block.length < offset + 4) throw new SpdyError('a header block that is too short');
    offset += 4;
    return block.readUInt32BE(offset - 4);
  };
  const text = (): string => {
    const length = number();
    if (block.length < offset + length) throw new SpdyError('a header block that is too short');
    offset += length;
    return block.toString('utf8', offset - length, offset);
  };
  const headers = new Map<string, string>();
  for (let left = number(); left > 0; left--) headers.set(text().toLowerCase(), text());
  return headers;
}

function formatBlock(headers: ReadonlyMap<string, string>): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(headers.size);
  return Buffer.concat([count, ...[...headers].flatMap(([name, value]) => [field(name), field(value)])]);
}

function field(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
