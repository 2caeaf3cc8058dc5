import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channelMessage, exitStatus, parseClientMessage } from '../../src/apiserver/streams/channels.ts';

function resize(size: unknown): Uint8Array {
  return channelMessage(4, Buffer.from(JSON.stringify(size)));
}

describe('messages of a client', () => {
  it('carry input', () => {
    expect(parseClientMessage(channelMessage(0, Buffer.from('ls\n')))).toMatchObject({
      kind: 'input',
      bytes: Uint8Array.from(Buffer.from('ls\n')),
    });
  });

  it('end the input', () => {
    expect(parseClientMessage(Uint8Array.of(255, 0))).toEqual({ kind: 'inputEnd' });
  });

  it('say the size of the terminal', () => {
    const size = { columns: 100, rows: 40 };
    expect(parseClientMessage(resize({ Width: 100, Height: 40 }))).toEqual({ kind: 'resize', size });
  });

  it.each([
    ['no input', Uint8Array.of(0)],
    ['the end of another channel', Uint8Array.of(255, 4)],
    ['a size of nothing', resize({ Width: 0, Height: 0 })],
    ['a size that no terminal has', resize({ Width: 65_536, Height: 40 })],
    ['half a character', resize({ Width: 1.5, Height: 40 })],
    ['a size in words', resize({ Width: '100', Height: '40' })],
    ['no size', resize(null)],
  ])('that ask for nothing are passed over: %s', (_, message) => {
    expect(parseClientMessage(message)).toEqual({ kind: 'nothing' });
  });

  it.each([
    ['an empty one', new Uint8Array()],
    ['output', Uint8Array.of(1, 65)],
    ['a channel that is none', Uint8Array.of(9, 65)],
    ['the end of nothing', Uint8Array.of(255)],
    ['a size that is no JSON', channelMessage(4, Buffer.from('{'))],
  ])('that break the protocol are told: %s', (_, message) => {
    expect(parseClientMessage(message)).toBeUndefined();
  });

  it('of any bytes are read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (message) => {
        const read = parseClientMessage(message);
        if (read?.kind === 'input') expect(channelMessage(0, read.bytes)).toEqual(message);
      }),
    );
  });
});

it('a command that ends well is a success, any other tells its exit code', () => {
  expect(exitStatus(0)).toMatchObject({ status: 'Success' });
  expect(exitStatus(7)).toMatchObject({
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '7' }] },
  });
});
