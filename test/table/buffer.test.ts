import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { Arena } from '../../src/table/arena.ts';
import { compile } from '../../src/table/compile.ts';
import { openTable } from '../../src/table/decider.ts';
import { TableFormatError } from '../../src/table/layout.ts';
import { cluster } from '../builders/cluster.ts';
import { connection } from '../builders/connection.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { decideByNumbers, numberOf } from '../reference/numbers.ts';
import type { Answers } from './decide-in-worker.ts';

const web = pod({ name: 'web', labels: { app: 'web' }, ip: ['10.1.0.1', 'fd00::1'] });
const client = pod({ name: 'client', labels: { app: 'client' }, ip: ['10.1.0.2', 'fd00::2'] });
const table = compile(
  cluster({
    pods: [web, client],
    policies: [policy({ pods: { app: 'web' }, ingress: [{ from: [{ pods: { app: 'client' } }], ports: ['80'] }] })],
  }),
);

describe('a buffer is refused', () => {
  test.each<[name: string, damage: (buffer: SharedArrayBuffer) => SharedArrayBuffer]>([
    ['empty', () => new SharedArrayBuffer(0)],
    ['shorter than a header', (buffer) => buffer.slice(0, 64)],
    ['not of whole words', (buffer) => buffer.slice(0, buffer.byteLength - 1)],
    ['truncated', (buffer) => buffer.slice(0, buffer.byteLength - 64)],
    ['with something behind it', (buffer) => resized(buffer, buffer.byteLength + 64)],
    ['of zeros', (buffer) => new SharedArrayBuffer(buffer.byteLength)],
    ['of another magic', (buffer) => withWord(buffer, 0, 1)],
    ['of another byte order', (buffer) => swapped(buffer)],
    ['of a newer version', (buffer) => withWord(buffer, 1, 5)],
    ['of another length', (buffer) => withWord(buffer, 2, 5)],
    ['of another checksum', (buffer) => withWord(buffer, 3, 5)],
    ['of another kind', (buffer) => withWord(buffer, 4, 2)],
    ['with its last word changed', (buffer) => withWord(buffer, buffer.byteLength / 4 - 1, 77)],
    ['with a leaf of a trie changed', (buffer) => withWord(buffer, 40_000, 0)],
  ])('%s', (_, damage) => {
    expect(() => openTable(damage(table.buffer))).toThrow(TableFormatError);
  });
});

test('a copy of the bytes is as good', () => {
  const copy = openTable(table.buffer.slice(0));
  expect(decideByNumbers(copy, connection(client, web, '80'))).toBe(0);
  expect(decideByNumbers(copy, connection(client, web, '81'))).toBe(2);
});

test('a table beyond the format limit is an error', () => {
  expect(() => new Arena().alloc(2 ** 31)).toThrow(RangeError);
});

test('a worker thread decides over the same memory', async () => {
  const questions = [
    connection(client, web, '80'),
    connection(client, web, '81'),
    connection(web, client, '81'),
    connection('8.8.8.8', web, '80'),
    connection('fd00::2', 'fd00::1', '80'),
    connection('fd00::3', 'fd00::1', '80'),
  ];
  const worker = new Worker(new URL('./decide-in-worker.ts', import.meta.url), {
    workerData: { buffer: table.buffer, questions },
  });
  const answers = await new Promise<Answers>((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  );
  await worker.terminate();
  expect(answers).toEqual(questions.map((question) => numberOf(table.explain(question))));
  expect(answers).toEqual([0, 2, 0, 2, 0, 2]);
});

describe('what is no question is an error', () => {
  const decider = openTable(table.buffer);
  const bytes = new Uint8Array(32);
  test.each<[name: string, decide: () => number]>([
    ['a port over 65535', () => decider.decide4(1, 2, 6, 65536)],
    ['a negative port', () => decider.decide4(1, 2, 6, -1)],
    ['a port over 65535, IPv6', () => decider.decide6(bytes.fill(1, 16), 0, 16, 6, 65536)],
    ['a source that ends behind the bytes', () => decider.decide6(bytes, 17, 0, 6, 80)],
    ['a destination that begins before the bytes', () => decider.decide6(bytes, 0, -1, 6, 80)],
  ])('%s', (_, decide) => {
    expect(decide).toThrow(RangeError);
  });
});

test('a signed address is the same as an unsigned one', () => {
  const high = pod({ ip: '200.1.0.1' });
  const decider = openTable(compile(cluster({ pods: [high], policies: [policy({ ingress: [] })] })).buffer);
  const address = 0xc8010001;
  expect(decider.decide4(1, address, 6, 80)).toBe(2);
  expect(decider.decide4(1, address | 0, 6, 80)).toBe(2);
  expect(decider.decide4(address, address | 0, 6, 80)).toBe(0);
});

function resized(buffer: SharedArrayBuffer, byteLength: number): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(byteLength);
  new Uint8Array(copy).set(new Uint8Array(buffer));
  return copy;
}

function withWord(buffer: SharedArrayBuffer, at: number, word: number): SharedArrayBuffer {
  const copy = resized(buffer, buffer.byteLength);
  new Int32Array(copy)[at] = word;
  return copy;
}

function swapped(buffer: SharedArrayBuffer): SharedArrayBuffer {
  const copy = resized(buffer, buffer.byteLength);
  const [from, to] = [new DataView(buffer), new DataView(copy)];
  for (let at = 0; at < buffer.byteLength; at += 4) to.setInt32(at, from.getInt32(at, true), false);
  return copy;
}
