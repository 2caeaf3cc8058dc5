import type { Arena } from './arena.ts';
import { BlockPool } from './block-pool.ts';
import { SHIFT } from './layout.ts';

/** Pages in a block of a row. */
export const BLOCK_PAGES = 1 << SHIFT.block;

/** Pages of one width, and blocks of them. A block has references to its pages. */
export class PageStore {
  readonly pages: BlockPool;
  readonly blocks: BlockPool;

  constructor(arena: Arena, pageWords: number) {
    this.pages = new BlockPool(arena, pageWords);
    this.blocks = new BlockPool(arena, BLOCK_PAGES, (offset) => {
      runs(arena.words, offset, (page, count) => {
        this.pages.release(page, count);
      });
    });
  }

  /** The block of these pages, with a reference more. */
  acquireBlock(pages: Int32Array): number {
    return this.blocks.acquire(pages, 0, () => {
      runs(pages, 0, (page, count) => {
        this.pages.retain(page, count);
      });
    });
  }
}

/** Calls back for each run of equal words of a block. */
function runs(words: Int32Array, from: number, each: (word: number, count: number) => void): void {
  const end = from + BLOCK_PAGES;
  let start = from;
  for (let at = from + 1; at <= end; at++) {
    if (at < end && words[at] === words[start]) continue;
    each(words[start] ?? 0, at - start);
    start = at;
  }
}
