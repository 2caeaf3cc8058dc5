import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { framed, messagesOf } from '../../src/dns/tcp-messages.ts';

async function split(...chunks: readonly Buffer[]): Promise<string[]> {
  const messages: string[] = [];
  for await (const message of messagesOf(Readable.from(chunks))) messages.push(message.toString('hex'));
  return messages;
}

it('finds the same messages wherever the stream is cut', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 });
  const property = fc.asyncProperty(sizes, fc.array(fc.nat(), { maxLength: 8 }), async (lengths, cuts) => {
    const messages = lengths.map((length, index) => Buffer.alloc(length, index + 1));
    const stream = Buffer.concat(messages.map(framed));
    const places = [
      0,
      ...cuts.map((cut) => cut % (stream.length + 1)).sort((one, other) => one - other),
      stream.length,
    ];
    const chunks = places.slice(1).map((end, index) => stream.subarray(places[index], end));
    expect(await split(...chunks)).toEqual(messages.map((message) => message.toString('hex')));
  });
  await fc.assert(property, { numRuns: 200, seed: 7 });
});

it('leaves an unfinished message out', async () => {
  expect(await split(framed(Buffer.from('ab')), framed(Buffer.from('cd')).subarray(0, 3))).toEqual(['6162']);
});

it('stops at a message that is too long to be a query', async () => {
  expect(await split(framed(Buffer.from('ab')), Buffer.from([0x10, 0x01]), framed(Buffer.from('cd')))).toEqual([
    '6162',
  ]);
  expect(await split(framed(Buffer.alloc(4096)))).toHaveLength(1);
});
