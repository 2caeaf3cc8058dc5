import type { Identity, CidrClass, Column } from './table-state.ts';

/** The columns in use. */
export class Columns {
  readonly #onChange: (column: Column) => void;
  readonly #byIndex: (Column | undefined)[] = [];
  readonly #free: number[] = [];

  /** @param onChange called with a column that is new, and with one that is gone. */
  constructor(onChange: (column: Column) => void) {
    this.#onChange = onChange;
  }

  get count(): number {
    return this.#byIndex.length - this.#free.length;
  }

  /** Columns have indices below this. */
  get end(): number {
    return this.#byIndex.length;
  }

  /** The column of that index; undefined if there is none now. */
  at(index: number): Column | undefined {
    return this.#byIndex[index];
  }

  /** Indices of the columns of pods that have named ports. Cost: all columns. */
  withPortNames(): number[] {
    return this.#byIndex.flatMap((column) => (column?.identity?.portNames.ports.size ? [column.index] : []));
  }

  /** The column, with a reference more. */
  acquire(identity: Identity | undefined, cidrClass: CidrClass): Column {
    let column = cidrClass.columns.get(identity);
    if (!column) {
      column = { index: this.#free.pop() ?? this.#byIndex.length, identity, cidrClass, references: 0 };
      this.#byIndex[column.index] = column;
      cidrClass.columns.set(identity, column);
      identity?.columns.add(column);
      this.#onChange(column);
    }
    column.references += 1;
    return column;
  }

  /** A reference less. */
  release(column: Column): void {
    column.references -= 1;
    if (column.references > 0) return;
    this.#byIndex[column.index] = undefined;
    this.#free.push(column.index);
    column.cidrClass.columns.delete(column.identity);
    column.identity?.columns.delete(column);
    this.#onChange(column);
  }
}
