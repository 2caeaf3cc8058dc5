import type { Arena } from './arena.ts';
import type { Columns } from './columns.ts';
import { FLAT_BLOCKS, SHIFT } from './layout.ts';
import { BLOCK_PAGES, PageStore } from './page-store.ts';
import { PortSets } from './port-sets.ts';
import type { Column, RuleState, RowSource, RowContent } from './table-state.ts';

const PAGE = 1 << SHIFT.page;
const MOST_SETS = 256; // places in a palette are bytes

/** Columns of a block of a row. */
const BLOCK_COLUMNS = PAGE * BLOCK_PAGES;

/** Makes the content of rows. Equal pages and equal blocks of pages are stored once. */
export class RowBuilder {
  readonly #arena: Arena;
  readonly #columns: Columns;
  readonly #portSets: PortSets;
  readonly #narrow: PageStore;
  readonly #wide: PageStore;
  #width = 1; // blocks of a row
  // Of the row that is being made: its cells, and which pages of them it has anything in.
  #cells = new Int32Array(BLOCK_COLUMNS);
  #isTouched = new Uint8Array(BLOCK_PAGES);
  readonly #block = new Int32Array(BLOCK_PAGES);
  readonly #widePage = new Int32Array(PAGE);
  readonly #narrowPage = new Int32Array(PAGE / 4);

  constructor(arena: Arena, columns: Columns, portSets: PortSets) {
    this.#arena = arena;
    this.#columns = columns;
    this.#portSets = portSets;
    this.#narrow = new PageStore(arena, PAGE / 4);
    this.#wide = new PageStore(arena, PAGE);
  }

  /** Makes rows wide enough for all columns; twice as wide, so that it happens seldom. @returns whether they were not. */
  widen(): boolean {
    if (this.#columns.end <= this.#width * BLOCK_COLUMNS) return false;
    while (this.#columns.end > this.#width * BLOCK_COLUMNS) this.#width *= 2;
    this.#cells = new Int32Array(this.#width * BLOCK_COLUMNS);
    this.#isTouched = new Uint8Array(this.#width * BLOCK_PAGES);
    return true;
  }

  /** Blocks of a row. */
  get width(): number {
    return this.#width;
  }

  /** Whether rows are those of a flat table: see layout.ts. */
  get isFlat(): boolean {
    return this.#width <= FLAT_BLOCKS;
  }

  /** Lets go of a row's blocks and palette. */
  release({ blocks, palette }: RowContent): void {
    const store = palette ? this.#narrow : this.#wide;
    for (const block of blocks) store.blocks.release(block);
    if (palette) this.#arena.free(palette.offset, paletteWords(palette.sets));
  }

  /** Makes a row. Cost: for each of its rules, the columns that the rule lists. */
  build(source: RowSource): RowContent {
    const base = this.#cellOf(source, undefined);
    const pages: number[] = [];
    for (const { rules } of source.policies) {
      for (const rule of rules[source.direction] ?? []) this.#apply(source, rule, { base, pages });
    }
    pages.sort((one, other) => one - other);
    const sets = this.isFlat ? undefined : this.#setsIn(pages, base);
    const palette = sets && sets.length <= MOST_SETS ? this.#makePalette(sets) : undefined;
    const blocks = palette ? this.#narrowBlocks(pages, palette.sets) : this.#wideBlocks(pages, base);
    for (const page of pages) this.#isTouched[page] = 0;
    return { blocks, palette };
  }

  /** The row with some columns computed again. What it was stays the caller's to release. */
  patch(source: RowSource, before: RowContent, columns: ReadonlySet<number>): RowContent {
    if (this.isFlat) return this.#patchFlat(source, before, columns);
    if (!before.palette) return this.build(source);
    const sets = [...before.palette.sets];
    const places = new Map<number, number>();
    for (const column of columns) {
      const set = this.#cellOf(source, this.#columns.at(column));
      const place = sets.indexOf(set);
      places.set(column, place >= 0 ? place : sets.push(set) - 1);
    }
    if (sets.length > MOST_SETS) return this.build(source);
    const blocks = before.blocks.slice();
    for (const block of blocks) this.#narrow.blocks.retain(block);
    for (const [column, place] of places) {
      this.#patchColumn(this.#narrow, blocks, { column, page: this.#narrowPage }, (page, at) => {
        putByte(page, at, place);
      });
    }
    return { blocks, palette: this.#makePalette(sets) };
  }

  #patchFlat(source: RowSource, before: RowContent, columns: ReadonlySet<number>): RowContent {
    const blocks = before.blocks.slice();
    for (const block of blocks) this.#wide.blocks.retain(block);
    for (const column of columns) {
      const portSet = this.#portSets.offsetOf(this.#cellOf(source, this.#columns.at(column)));
      this.#patchColumn(this.#wide, blocks, { column, page: this.#widePage }, (page, at) => {
        page[at] = portSet;
      });
    }
    return { blocks, palette: undefined };
  }

  /** Puts a column's entry into a copy of its page, and that into a copy of its block. `page` is where the page is made. */
  #patchColumn(
    store: PageStore,
    blocks: Int32Array,
    { column, page }: { readonly column: number; readonly page: Int32Array },
    put: (page: Int32Array, at: number) => void,
  ): void {
    const { words } = this.#arena;
    const index = Math.floor(column / BLOCK_COLUMNS);
    const before = blocks[index] ?? 0;
    this.#block.set(words.subarray(before, before + BLOCK_PAGES));
    const at = (column >>> SHIFT.page) & (BLOCK_PAGES - 1);
    const from = this.#block[at] ?? 0;
    page.set(words.subarray(from, from + page.length));
    put(page, column & (PAGE - 1));
    const made = store.pages.acquire(page, 0);
    this.#block[at] = made;
    blocks[index] = store.acquireBlock(this.#block);
    store.pages.release(made);
    store.blocks.release(before);
  }

  /** Adds what a rule allows to the cells of the columns that it lists. */
  #apply(source: RowSource, rule: RuleState, { base, pages }: { base: number; pages: number[] }): void {
    const byPeer = source.direction === 'egress' && rule.isNamed; // peers differ in what its port names stand for
    if (rule.matchesAny && !byPeer) return; // in the base
    const own = rule.ports(source.names);
    const cells = this.#cells;
    const add = (column: number): void => {
      const page = column >>> SHIFT.page;
      if (this.#isTouched[page] === 0) {
        this.#isTouched[page] = 1;
        pages.push(page);
        cells.fill(base, page * PAGE, (page + 1) * PAGE);
      }
      const ports = byPeer ? rule.ports(this.#columns.at(column)?.identity?.portNames) : own;
      const before = cells[column] ?? 0;
      if (before !== ports) cells[column] = before === PortSets.none ? ports : this.#portSets.union(before, ports);
    };
    if (rule.matchesAny) this.#columns.withPortNames().forEach(add);
    else rule.eachColumn(add);
  }

  /** The port set that the row allows from or to a column; for none, to addresses that no rule lists. */
  #cellOf({ policies, direction, names, base }: RowSource, column: Column | undefined): number {
    const destination = direction === 'ingress' ? names : column?.identity?.portNames;
    let set = base;
    for (const { rules } of policies) {
      for (const rule of rules[direction] ?? []) {
        if (!rule.matchesAny && !(column && rule.matches(column))) continue;
        set = this.#portSets.union(set, rule.ports(destination));
      }
    }
    return set;
  }

  /** The distinct sets of the cells, the base first, then in the order of the columns: so that rows alike have pages alike. */
  #setsIn(pages: readonly number[], base: number): number[] {
    const sets = new Set([base]);
    let last = base;
    for (const page of pages) {
      for (let column = page * PAGE; column < (page + 1) * PAGE; column++) {
        const set = this.#cells[column] ?? 0;
        if (set === last) continue;
        last = set;
        sets.add(set);
      }
    }
    return [...sets];
  }

  #makePalette(sets: readonly number[]): NonNullable<RowContent['palette']> {
    const offsets = sets.map((set) => this.#portSets.offsetOf(set)); // which may replace the arena's words
    const offset = this.#arena.alloc(paletteWords(sets));
    this.#arena.words.set(offsets, offset);
    return { sets, offset };
  }

  #narrowBlocks(pages: readonly number[], sets: readonly number[]): Int32Array {
    const places = new Map(sets.map((set, place) => [set, place]));
    return this.#blocksOf(this.#narrow, pages, (page) => {
      this.#narrowPage.fill(0); // the base's place
      if (page === undefined) return this.#narrow.pages.acquire(this.#narrowPage, 0);
      let last = sets[0];
      let place = 0;
      for (let index = 0; index < PAGE; index++) {
        const set = this.#cells[page * PAGE + index] ?? 0;
        if (set !== last) place = places.get((last = set)) ?? 0;
        if (place !== 0) putByte(this.#narrowPage, index, place);
      }
      return this.#narrow.pages.acquire(this.#narrowPage, 0);
    });
  }

  #wideBlocks(pages: readonly number[], base: number): Int32Array {
    return this.#blocksOf(this.#wide, pages, (page) => {
      for (let index = 0; index < PAGE; index++) {
        const set = page === undefined ? base : (this.#cells[page * PAGE + index] ?? 0);
        this.#widePage[index] = this.#portSets.offsetOf(set);
      }
      return this.#wide.pages.acquire(this.#widePage, 0);
    });
  }

  /** Blocks of these pages, and elsewhere of the page that `acquire` has for none. */
  #blocksOf(store: PageStore, pages: readonly number[], acquire: (page?: number) => number): Int32Array {
    const basePage = acquire();
    const baseBlock = store.acquireBlock(this.#block.fill(basePage));
    const blocks = new Int32Array(this.#width).fill(baseBlock);
    store.blocks.retain(baseBlock, this.#width);
    const own: number[] = [];
    for (let next = 0; next < pages.length;) {
      const index = (pages[next] ?? 0) >>> SHIFT.block;
      this.#block.fill(basePage);
      for (; next < pages.length && (pages[next] ?? 0) >>> SHIFT.block === index; next++) {
        const page = pages[next] ?? 0;
        own.push((this.#block[page & (BLOCK_PAGES - 1)] = acquire(page)));
      }
      blocks[index] = store.acquireBlock(this.#block);
      store.blocks.release(baseBlock);
    }
    // The blocks have references of their own now.
    store.blocks.release(baseBlock);
    for (const page of [basePage, ...own]) store.pages.release(page);
    return blocks;
  }
}

function paletteWords(sets: readonly number[]): number {
  return Math.ceil(sets.length / 4) * 4;
}

function putByte(words: Int32Array, index: number, byte: number): void {
  const shift = (index & 3) << 3;
  words[index >>> 2] = ((words[index >>> 2] ?? 0) & ~(255 << shift)) | (byte << shift);
}
