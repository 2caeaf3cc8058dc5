import type { Cluster } from '../model/cluster.ts';
import type { Connection, Verdict } from '../model/verdict.ts';
import type { IpAddress } from '../net/ip.ts';

/** A cluster's policies, compiled. One that compile() has made is immutable; see LiveTable for one that changes. */
export interface PolicyTable {
  readonly cluster: Cluster;
  /** The table for openTable: flat, so that other threads share it and files hold it. */
  readonly buffer: SharedArrayBuffer;
  /** The verdict with its reasons, every matching rule: the cold path. Cost: the rules of the policies that select the two pods. */
  explain(connection: Connection): Verdict;
  /**
   * Which kind of address it is: between addresses of the same two kinds, verdicts have the same reasons,
   * unless the two are one address. 0 for the address of a node, to whose pods it is of another kind.
   */
  kindOf(address: IpAddress): number;
  readonly stats: TableStats;
}

/** Sizes of a table. */
export interface TableStats {
  /** Distinct pairs of namespace, labels and named ports among pods that policies see. */
  readonly identities: number;
  /** Distinct sets of ipBlocks that cover an address. */
  readonly cidrClasses: number;
  /** Ranges of ports that no policy tells apart, over all protocols. */
  readonly portClasses: number;
  /** Distinct sets of ports that rules allow together. */
  readonly portSets: number;
  /** What a row has an entry for: identities by CIDR class, and external CIDR classes. */
  readonly columns: number;
  /** Distinct sets of policies that isolate a pod in one direction; row 0 is "not isolated". */
  readonly rows: number;
  /** Of both prefix tries, among `bytes`. */
  readonly trieBytes: number;
  readonly bytes: number;
}
