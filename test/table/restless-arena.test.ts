import { expect, test, vi } from 'vitest';
import { HEADER, PLACE } from '../../src/table/layout.ts';
import { runSequence } from './change-sequence.ts';

const SEED = 20_260_101;
const SEQUENCES = 2; // each copies tables some thousand times
const POISON = 0x5a5a5a5a;

let moves = 0;

/** An arena whose words are elsewhere after each allocation: who has evaluated `words` before one writes to the old ones. */
vi.mock(import('../../src/table/arena.ts'), async (original) => {
  const { Arena } = await original();
  class RestlessArena extends Arena {
    #spare = new Int32Array(new SharedArrayBuffer(0));

    override alloc(size: number): number {
      const offset = super.alloc(size);
      const left = this.words;
      const next =
        this.#spare.length === left.length ? this.#spare : new Int32Array(new SharedArrayBuffer(left.byteLength));
      next.set(left);
      left.fill(POISON, PLACE.blocks);
      left[HEADER.moved] = 1;
      this.words = next;
      this.#spare = left;
      moves += 1;
      return offset;
    }
  }
  return { Arena: RestlessArena };
});

test(
  `a table whose memory moves at every allocation is that of the cluster (seeds from ${SEED})`,
  { timeout: 120_000 },
  () => {
    for (let sequence = 0; sequence < SEQUENCES; sequence += 1) runSequence(SEED + sequence);
    expect(moves).toBeGreaterThan(0);
  },
);
