import { expect, test } from 'vitest';
import { BlockPool } from '../../src/table/block-pool.ts';

test('equal blocks have one id, others one of their own', () => {
  const pool = new BlockPool(3);
  const source = Int32Array.of(1, 2, 3, 1, 2, 4, 1, 2, 3, 0, 0, 0);
  expect([0, 3, 6, 9].map((from) => pool.intern(source, from))).toEqual([0, 1, 0, 2]);
  expect([...pool.words]).toEqual([1, 2, 3, 1, 2, 4, 0, 0, 0]);
});

test('words past the end of the source are 0', () => {
  const pool = new BlockPool(3);
  expect(pool.intern(Int32Array.of(7))).toBe(pool.intern(Int32Array.of(7, 0, 0)));
});

test('what is written to the source later changes no block', () => {
  const pool = new BlockPool(1);
  const source = Int32Array.of(5);
  const id = pool.intern(source);
  source[0] = 6;
  expect([pool.at(id, 0), pool.intern(source), pool.count]).toEqual([5, 1, 2]);
});

test('ids stay as the pool grows', () => {
  const pool = new BlockPool(2);
  const blocks = Array.from({ length: 5000 }, (_, index) => Int32Array.of(index % 70, Math.floor(index / 70)));
  expect(blocks.map((block) => pool.intern(block))).toEqual(blocks.map((_, index) => index));
  expect(blocks.map((block) => pool.intern(block))).toEqual(blocks.map((_, index) => index));
});
