import type { Arena } from './arena.ts';
import type { Columns } from './columns.ts';
import { RECORD } from './layout.ts';
import { leafEntry } from './prefix-trie.ts';
import type { Rows } from './rows.ts';
import type { CidrClass, Column, Place, AddressRecord } from './table-state.ts';

const NODE = 1 << 31; // the sign bit

/** The records in use. */
export class Records {
  readonly #arena: Arena;
  readonly #columns: Columns;
  readonly #rows: Rows;
  readonly #known = new Map<string, AddressRecord>();
  readonly #external = new Map<Column, AddressRecord>(); // most of them, without the cost of a key

  constructor(arena: Arena, columns: Columns, rows: Rows) {
    this.#arena = arena;
    this.#columns = columns;
    this.#rows = rows;
  }

  /** The record, with a reference more. It is written to the arena at once, for it may be one that no reader knows. */
  acquire(cidrClass: CidrClass, place: Place): AddressRecord {
    const column = this.#columns.acquire(place.identity, cidrClass);
    const plain = !place.identity && place.hosted === 0;
    const key = plain ? '' : `${column.index} ${place.hosted}`;
    let record = plain ? this.#external.get(column) : this.#known.get(key);
    if (record) {
      this.#columns.release(column); // a record has one reference to its column
    } else {
      record = { key, offset: this.#arena.alloc(wordsOf(place)), column, place, references: 0 };
      if (plain) this.#external.set(column, record);
      else this.#known.set(key, record);
      place.identity?.records.add(record);
      this.write(record);
    }
    record.references += 1;
    return record;
  }

  /** A reference less. */
  release(record: AddressRecord): void {
    record.references -= 1;
    if (record.references > 0) return;
    if (record.key === '') this.#external.delete(record.column);
    else this.#known.delete(record.key);
    record.place.identity?.records.delete(record);
    this.#arena.free(record.offset, wordsOf(record.place));
    this.#columns.release(record.column);
  }

  /** Writes the record as it is now: its rows change with the policies. */
  write({ offset, column, place }: AddressRecord): void {
    const { words } = this.#arena;
    words[offset + RECORD.self] = leafEntry(offset);
    words[offset + RECORD.column] = place.hosted === 0 ? column.index : column.index | NODE;
    words[offset + RECORD.egressRow] = (place.identity?.rows.egress ?? this.#rows.open).offset;
    words[offset + RECORD.ingressRow] = (place.identity?.rows.ingress ?? this.#rows.open).offset;
    if (place.hosted !== 0) words[offset + RECORD.hosted] = place.hosted;
  }

  /** Writes all of them. */
  writeAll(): void {
    for (const record of this.#external.values()) this.write(record);
    for (const record of this.#known.values()) this.write(record);
  }
}

function wordsOf({ hosted }: Place): number {
  return hosted === 0 ? RECORD.words : RECORD.nodeWords;
}
