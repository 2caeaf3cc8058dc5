import type { Cluster } from '../model/cluster.ts';
import { LiveTable, type TableOptions } from './live-table.ts';
import type { PolicyTable } from './policy-table.ts';

/** Compiles the cluster's policies. Throws RangeError if the table would exceed its format's limit of 1 GiB. */
export function compile(cluster: Cluster, options: TableOptions = {}): PolicyTable {
  const table = LiveTable.from(cluster, options);
  const buffer = table.snapshot();
  return {
    cluster,
    buffer,
    explain: (connection) => table.explain(connection),
    kindOf: (address) => table.kindOf(address),
    stats: { ...table.stats, bytes: buffer.byteLength },
  };
}
