import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContainerLog, type LogReading } from '../../src/lab/netns/container-log.ts';

let folder: string;
let log: ContainerLog;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'npl-log-'));
  log = new ContainerLog(join(folder, 'main-0.log'));
});

afterEach(() => {
  log.remove();
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

const NEVER = new AbortController().signal;

function write(text: string): void {
  log.append('stdout', Buffer.from(text));
}

async function textOf(reading: Partial<LogReading> = {}): Promise<string> {
  const parts: string[] = [];
  for await (const block of log.read({ follow: false, tailLines: undefined, signal: NEVER, ...reading })) {
    parts.push(...block.map(({ text }) => Buffer.from(text).toString()));
  }
  return parts.join('');
}

it('keeps what is written, with times', async () => {
  const before = Date.now();
  write('one\ntwo\n');
  log.append('stderr', Buffer.from('three\n'));
  expect(await textOf()).toBe('one\ntwo\nthree\n');
  for await (const block of log.read({ follow: false, tailLines: undefined, signal: NEVER })) {
    for (const { time } of block) {
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
      expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
    }
  }
});

it('keeps a line together that comes in pieces, and the outputs apart', async () => {
  write('o');
  log.append('stderr', Buffer.from('er'));
  write('ut\n');
  log.append('stderr', Buffer.from('r\n'));
  expect(await textOf()).toBe('out\nerr\n');
});

it('keeps a last line without its end', async () => {
  write('a prompt> ');
  expect(await textOf()).toBe('');
  log.end();
  expect(await textOf()).toBe('a prompt> ');
});

it.each([
  [0, ''],
  [1, 'line 9\n'],
  [3, 'line 7\nline 8\nline 9\n'],
  [10, Array.from({ length: 10 }, (_, index) => `line ${index}\n`).join('')],
  [11, Array.from({ length: 10 }, (_, index) => `line ${index}\n`).join('')],
])('reads the last %i lines', async (tailLines, want) => {
  for (let index = 0; index < 10; index++) write(`line ${index}\n`);
  expect(await textOf({ tailLines })).toBe(want);
});

it('reads the last lines across its files', async () => {
  const line = (index: number): string => `${String(index).padStart(1000, '.')}\n`;
  for (let index = 0; index < 1500; index++) write(line(index));
  expect(readdirSync(folder)).toHaveLength(2);
  for (const tailLines of [1, 100, 600, 1200]) {
    const want = Array.from({ length: tailLines }, (_, index) => line(1500 - tailLines + index)).join('');
    expect((await textOf({ tailLines })) === want, `${tailLines} lines`).toBe(true);
  }
});

it('takes 2 MiB at most, whatever is written', async () => {
  const bytes = Buffer.from('y\n'.repeat(1 << 15));
  for (let written = 0; written < 200; written++) log.append('stdout', bytes);
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1 << 20);
  expect(sizes).toHaveLength(2);
  expect((await textOf()).replaceAll('y\n', '')).toBe('');
});

describe('following', () => {
  it('goes on with what comes, to the end of the log', async () => {
    write('before\n');
    const reading = textOf({ follow: true });
    for (const text of ['and ', 'after\n', 'the end']) {
      await new Promise(setImmediate);
      write(text);
    }
    log.end();
    expect(await reading).toBe('before\nand after\nthe end');
  });

  it('begins at the last lines', async () => {
    write('one\ntwo\n');
    const reading = textOf({ follow: true, tailLines: 1 });
    write('three\n');
    log.end();
    expect(await reading).toBe('two\nthree\n');
  });

  it('leaves out what is overwritten before it comes to it, and nothing else', async () => {
    const blocks = log.read({ follow: true, tailLines: undefined, signal: NEVER });
    write('first\n');
    expect((await blocks.next()).done).toBe(false);
    for (let index = 0; index < 5000; index++) write(`${String(index).padStart(1000, '.')}\n`);
    log.end();
    const rest: number[] = [];
    for await (const block of blocks) {
      rest.push(...block.map(({ text }) => Number(Buffer.from(text).toString().replaceAll('.', ''))));
    }
    expect(rest.length).toBeGreaterThan(1000);
    expect(rest).toEqual(Array.from({ length: rest.length }, (_, index) => 5000 - rest.length + index));
  });

  it('ends when it is aborted', async () => {
    const reader = new AbortController();
    const reading = textOf({ follow: true, signal: reader.signal });
    await new Promise(setImmediate);
    reader.abort();
    expect(await reading).toBe('');
  });
});

it('gives back the bytes of any output, however it is cut', async () => {
  const piece = fc.oneof(fc.string({ maxLength: 20 }), fc.constant('\n'), fc.constant('x'.repeat(40_000)));
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const own = new ContainerLog(join(folder, `any-${runs++}.log`));
      for (const text of pieces) own.append('stdout', Buffer.from(text));
      own.end();
      const parts: Uint8Array[] = [];
      for await (const block of own.read({ follow: false, tailLines: undefined, signal: NEVER })) {
        parts.push(...block.map(({ text }) => text));
      }
      own.remove();
      expect(Buffer.concat(parts).toString()).toBe(pieces.join(''));
    }),
    { numRuns: 50 },
  );
});
