import { badRequest } from '../status.ts';

/** A field of a message as it is on the wire. Source: protobuf.dev, encoding. */
export type WireField =
  | { readonly number: number; readonly kind: 'varint'; readonly value: bigint }
  | { readonly number: number; readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly number: number; readonly kind: 'fixed' };

/** The fields of a message in their order. Throws a 400 if it is none. */
export function* wireFields(bytes: Uint8Array): Generator<WireField> {
  const reader = new Reader(bytes);
  while (reader.hasMore()) {
    const tag = Number(reader.varint());
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, kind: 'varint', value: reader.varint() };
        break;
      case 2:
        yield { number, kind: 'bytes', value: reader.bytes(Number(reader.varint())) };
        break;
      case 1:
      case 5:
        reader.bytes(tag % 8 === 1 ? 8 : 4);
        yield { number, kind: 'fixed' };
        break;
      default:
        throw unreadable();
    }
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw unreadable();
      this.#at += 1;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw unreadable();
  }

  bytes(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw unreadable();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function unreadable() {
  return badRequest('the body is no protobuf message');
}
