import { expect, test } from 'vitest';
import { Yielding } from '../../src/dataplane/yielding.ts';

test('others are let run, but not for a while once they have kept the processor', () => {
  let time = 0;
  let taken = 0;
  let runs = 0;
  const yielding = new Yielding(
    () => {
      runs += 1;
      time += taken;
    },
    () => time,
  );
  expect(yielding.yield()).toBe(true);
  taken = 1.9;
  expect([yielding.yield(), yielding.yield()]).toEqual([true, true]);
  taken = 2.1;
  expect([yielding.yield(), yielding.yield()]).toEqual([true, false]);
  time += 99;
  expect(yielding.yield()).toBe(false);
  time += 1;
  expect([yielding.yield(), runs]).toEqual([true, 5]);
});

test('a yield of the processor returns', () => {
  expect(new Yielding().yield()).toBe(true);
});
