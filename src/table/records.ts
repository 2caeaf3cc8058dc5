import type { Arena } from './arena.ts';
import type { Columns } from './columns.ts';
import { RECORD } from './layout.ts';
import type { CidrClass, Column, Place, AddressRecord } from './table-state.ts';

const NODE = 1 << 31; // the sign bit

/** The records in use. */
export class Records {
  readonly #arena: Arena;
  readonly #columns: Columns;
  readonly #known = new Map<string, AddressRecord>();
  readonly #external = new Map<Column, AddressRecord>(); // most of them, without the cost of a key

  constructor(arena: Arena, columns: Columns) {
    this.#arena = arena;
    this.#columns = columns;
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
      record = { key, offset: this.#arena.alloc(RECORD.words), column, place, references: 0 };
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
    this.#arena.free(record.offset, RECORD.words);
    this.#columns.release(record.column);
  }

  /** Writes the record as it is now: its rows change with the policies. */
  write({ offset, column, place }: AddressRecord): void {
    const { words } = this.#arena;
    words[offset + RECORD.column] = place.hosted === 0 ? column.index : column.index | NODE;
    words[offset + RECORD.egressRow] = place.identity?.rows.egress?.offset ?? 0;
    words[offset + RECORD.ingressRow] = place.identity?.rows.ingress?.offset ?? 0;
    words[offset + RECORD.hosted] = place.hosted;
  }
}
