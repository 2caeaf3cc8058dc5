import { expect, test } from 'vitest';
import { Arena } from '../../src/table/arena.ts';
import { BlockPool } from '../../src/table/block-pool.ts';
import { Random } from '../builders/random.ts';

test('equal blocks are one, others one of their own', () => {
  const arena = new Arena();
  const pool = new BlockPool(arena, 3);
  const source = Int32Array.of(1, 2, 3, 1, 2, 4, 1, 2, 3);
  const [one = 0, other = 0, again = 0] = [0, 3, 6].map((from) => pool.acquire(source, from));
  expect(again).toBe(one);
  expect(pool.count).toBe(2);
  expect([...arena.words.subarray(one, one + 3), ...arena.words.subarray(other, other + 3)]).toEqual([
    1, 2, 3, 1, 2, 4,
  ]);
});

test('what is written to the source later changes no block', () => {
  const arena = new Arena();
  const pool = new BlockPool(arena, 1);
  const source = Int32Array.of(5);
  const offset = pool.acquire(source, 0);
  source[0] = 6;
  expect(arena.words[offset]).toBe(5);
  expect(pool.acquire(source, 0)).not.toBe(offset);
});

test('a block is freed with its last reference', () => {
  const freed: number[] = [];
  const pool = new BlockPool(new Arena(), 2, (offset) => freed.push(offset));
  const block = Int32Array.of(1, 2);
  const offset = pool.acquire(block, 0);
  pool.acquire(block, 0);
  pool.retain(offset, 2);
  pool.release(offset, 3);
  expect(freed).toEqual([]);
  pool.release(offset);
  expect(freed).toEqual([offset]);
  expect(pool.count).toBe(0);
});

test('blocks are found as others come and go (seed 1)', () => {
  const random = new Random(1);
  const pool = new BlockPool(new Arena(), 2);
  const held = new Map<string, number>();
  for (let step = 0; step < 20_000; step += 1) {
    const block = Int32Array.of(random.between(0, 40), random.between(0, 10));
    const known = held.get(block.join());
    if (known !== undefined && random.chance(0.6)) {
      pool.release(known);
      held.delete(block.join());
    } else if (known === undefined) {
      held.set(block.join(), pool.acquire(block, 0));
    } else {
      expect(pool.acquire(block, 0)).toBe(known);
      pool.release(known);
    }
    expect(pool.count).toBe(held.size);
  }
});
