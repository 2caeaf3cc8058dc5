import type { Direction } from '../model/policy.ts';
import type { Arena } from './arena.ts';
import type { Columns } from './columns.ts';
import { HEADER, ROW } from './layout.ts';
import { PortSets } from './port-sets.ts';
import { BLOCK_PAGES } from './page-store.ts';
import { RowBuilder } from './row-builder.ts';
import type { PortNames, Column, PolicyState, Row, RowSource } from './table-state.ts';

// A row of which more columns than this have changed is made anew.
const MOST_PATCHES = 32;

/** The rows in use. */
export class Rows {
  readonly #arena: Arena;
  readonly #builder: RowBuilder;
  readonly #known = new Map<string, Row>();
  /** That of what no policy isolates. */
  readonly open: Row;
  #stale = new Set<Row>();
  #built: Row[] = [];

  constructor(arena: Arena, columns: Columns, portSets: PortSets) {
    this.#arena = arena;
    this.#builder = new RowBuilder(arena, columns, portSets);
    this.open = this.#make({ key: '', direction: 'ingress', policies: [], names: undefined, base: PortSets.all });
  }

  /** Number of rows, "not isolated" among them. */
  get count(): number {
    return this.#known.size;
  }

  /** The row of an identity that these policies isolate, with an identity more. The policies are in the order of their ids. */
  acquire(direction: Direction, policies: readonly PolicyState[], names: PortNames): Row {
    const isNamed =
      direction === 'ingress' && policies.some(({ rules }) => rules.ingress?.some((rule) => rule.isNamed));
    const key = `${direction} ${isNamed ? names.id : ''} ${policies.map(({ id }) => id).join()}`;
    const row =
      this.#known.get(key) ??
      this.#make({ key, direction, policies, names: isNamed ? names : undefined, base: PortSets.none });
    row.identities += 1;
    return row;
  }

  #make(source: RowSource & { readonly key: string }): Row {
    const row: Row = {
      ...source,
      identities: 0,
      offset: this.#arena.alloc(this.#words),
      content: undefined,
      stale: 'all',
    };
    this.#known.set(row.key, row);
    this.#stale.add(row);
    for (const { rows } of row.policies) rows.add(row);
    return row;
  }

  /** An identity less. */
  release(row: Row): void {
    row.identities -= 1;
    if (row.identities > 0) return;
    this.#known.delete(row.key);
    this.#stale.delete(row);
    for (const { rows } of row.policies) rows.delete(row);
    if (row.content) this.#builder.release(row.content);
    this.#arena.free(row.offset, this.#words);
  }

  /** Says that these columns of a row have to be computed again. */
  touch(row: Row, columns: readonly Column[] | 'all'): void {
    if (row.stale === 'all') return;
    row.stale ??= new Set();
    this.#stale.add(row);
    if (columns !== 'all') for (const { index } of columns) row.stale.add(index);
    if (columns === 'all' || row.stale.size > MOST_PATCHES) row.stale = 'all';
  }

  /** Computes what has to be. @returns whether all rows have moved, as they are wider now. */
  build(): boolean {
    const moved = this.#widen();
    for (const row of this.#stale) {
      const { stale, content } = row;
      row.content =
        content && stale !== 'all' && stale ? this.#builder.patch(row, content, stale) : this.#builder.build(row);
      row.stale = undefined;
      if (content) this.#builder.release(content);
      this.#built.push(row);
    }
    this.#stale = new Set();
    return moved;
  }

  /** Lets readers see what was built. */
  publish(): void {
    const { words } = this.#arena;
    const isFlat = this.#builder.isFlat;
    words[HEADER.flat] = isFlat ? 1 : 0;
    for (const { offset, content } of this.#built) {
      const [block = 0] = content?.blocks ?? [];
      if (isFlat) {
        words.copyWithin(offset, block, block + BLOCK_PAGES);
        continue;
      }
      words[offset + ROW.palette] = content?.palette?.offset ?? 0;
      if (content) words.set(content.blocks, offset + ROW.blocks);
    }
    this.#built = [];
  }

  get #words(): number {
    return this.#builder.isFlat ? BLOCK_PAGES : ROW.blocks + this.#builder.width;
  }

  #widen(): boolean {
    const before = this.#words;
    if (!this.#builder.widen()) return false;
    for (const row of this.#known.values()) {
      this.#arena.free(row.offset, before);
      row.offset = this.#arena.alloc(this.#words);
      row.stale = 'all';
      this.#stale.add(row);
    }
    return true;
  }
}
