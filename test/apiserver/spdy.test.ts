import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataFrame, SpdyError, SpdyReader, type SpdyFrame } from '../../src/apiserver/streams/spdy-frame.ts';
import { HeaderCodec } from '../../src/apiserver/streams/spdy-headers.ts';
import { controlFrame, openFrame, uint32 } from './spdy-client.ts';

function framesOf(...pieces: readonly Uint8Array[]): SpdyFrame[] {
  const reader = new SpdyReader();
  return pieces.flatMap((piece) => [...reader.read(piece)]);
}

/** The frames of any bytes, or undefined if they break the protocol; any other error fails the test. */
function readable(bytes: Uint8Array): SpdyFrame[] | undefined {
  try {
    return framesOf(bytes);
  } catch (error) {
    if (error instanceof SpdyError) return undefined;
    throw error;
  }
}

const SOME = Buffer.concat([
  openFrame(1, Buffer.from('headers')),
  dataFrame(1, Buffer.from('hello'), false),
  controlFrame(9, Buffer.concat([uint32(1), uint32(65_536)])), // WINDOW_UPDATE
  controlFrame(6, uint32(1)),
  dataFrame(1, new Uint8Array(), true),
  controlFrame(3, Buffer.concat([uint32(1), uint32(5)])),
  controlFrame(7, Buffer.concat([uint32(1), uint32(0)])),
]);

describe('frames', () => {
  it('are told apart', () => {
    expect(framesOf(SOME)).toMatchObject([
      { kind: 'open', stream: 1, last: false, headers: Buffer.from('headers') },
      { kind: 'data', stream: 1, last: false, bytes: Buffer.from('hello') },
      { kind: 'ping', id: 1 },
      { kind: 'data', stream: 1, last: true },
      { kind: 'reset', stream: 1 },
      { kind: 'goAway' },
    ]);
  });

  it('may be torn anywhere', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(SOME.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.toSorted((one, other) => one - other), SOME.length];
        const pieces = places.slice(1).map((end, index) => SOME.subarray(places[index], end));
        expect(framesOf(...pieces)).toEqual(framesOf(SOME));
      }),
    );
  });

  it('that are damaged are read otherwise or refused, never more', () => {
    fc.assert(
      fc.property(fc.nat(SOME.length - 1), fc.integer({ min: 0, max: 255 }), (place, value) => {
        const damaged = Buffer.from(SOME);
        damaged[place] = value;
        readable(damaged);
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void readable(bytes)));
  });

  it.each([
    ['too long', Buffer.concat([uint32(1), Buffer.of(0, 0xff, 0xff, 0xff)])],
    ['of another version', Buffer.concat([Buffer.of(0x80, 2, 0, 6, 0, 0, 0, 4), uint32(1)])],
    ['too short to say its stream', controlFrame(1, Buffer.of(0, 0))],
    ['an answer to nothing', controlFrame(2, uint32(1))],
  ])('%s break the protocol', (_, frame) => {
    expect(() => framesOf(frame)).toThrow(SpdyError);
  });
});

describe('header blocks', () => {
  it('come back as they went, each compressed with those before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.dictionary(fc.stringMatching(/^[a-z-]{1,12}$/), fc.string())), async (blocks) => {
        using sender = new HeaderCodec();
        using receiver = new HeaderCodec();
        for (const block of blocks) {
          const headers = new Map(Object.entries(block));
          expect(await receiver.decode(await sender.encode(headers))).toEqual(headers);
        }
      }),
    );
  });

  it('begin with the dictionary that every end of SPDY/3 knows', async () => {
    using codec = new HeaderCodec();
    const block = await codec.encode(new Map());
    expect(block.subarray(0, 6).toString('hex')).toBe('78bbe3c6a7c2');
  });

  it('that are damaged, or grow beyond bounds, are refused', async () => {
    using codec = new HeaderCodec();
    await expect(codec.decode(Buffer.from('no header block'))).rejects.toThrow(SpdyError);
    using sender = new HeaderCodec();
    using receiver = new HeaderCodec();
    const bomb = await sender.encode(new Map([['a', '0'.repeat(10 << 20)]]));
    expect(bomb.length).toBeLessThan(100_000);
    await expect(receiver.decode(bomb)).rejects.toThrow(SpdyError);
  });
});
