// What a table is made of. These refer to one another all round; each has a file that makes and keeps them.
import type { Direction, NetworkPolicy } from '../model/policy.ts';
import type { Labels, Selector } from '../model/selector.ts';
import type { Prefix } from '../net/prefix.ts';

/** What policies can tell pods apart by. */
export interface Identity {
  readonly key: string;
  readonly namespace: string;
  readonly labels: Labels;
  /** The same for identities whose port names stand for the same numbers. */
  readonly portNames: PortNames;
  /** Whether the table has rows for it: see SubjectFilter. */
  readonly isSubject: boolean;
  /** How many pods have it. */
  pods: number;
  readonly selections: Set<Selection>;
  readonly columns: Set<Column>;
  readonly records: Set<AddressRecord>;
  /** Undefined where no policy isolates it. */
  readonly rows: Record<Direction, Row | undefined>;
}

/** What port names stand for; keys are those of portName(). */
export interface PortNames {
  readonly id: number;
  readonly ports: ReadonlyMap<string, number>;
}

/** An ipBlock of some policies. */
export interface Block {
  readonly id: number;
  readonly key: string;
  readonly cidr: Prefix;
  readonly except: readonly Prefix[];
  /** How many rules of each policy have it. */
  readonly users: Map<PolicyState, number>;
  /** The classes that it covers. */
  readonly classes: Set<CidrClass>;
}

/** Addresses that the same blocks cover. Two classes may have come to be covered by the same blocks. */
export interface CidrClass {
  /** In the order of their ids. */
  covering: readonly Block[];
  /** How many entries of the address map have it. */
  entries: number;
  readonly columns: Map<Identity | undefined, Column>;
}

/** A column of the rows: what rules can tell peers apart by. `identity` is undefined for addresses that are no pod's. */
export interface Column {
  readonly index: number;
  readonly identity: Identity | undefined;
  readonly cidrClass: CidrClass;
  references: number;
}

/** What the table knows of an address beside its CIDR class. */
export interface Place {
  /** Undefined for addresses that are no pod's. */
  readonly identity: Identity | undefined;
  /** Where the list of the addresses that it hosts as a node lies in the arena; 0 if it is no node's. */
  readonly hosted: number;
}

/** A record in the arena: addresses that share it get the same verdicts. */
export interface AddressRecord {
  readonly key: string;
  readonly offset: number;
  readonly column: Column;
  readonly place: Place;
  references: number;
}

/** Pods that policies select, as their subjects or as peers. */
export interface Selection {
  readonly key: string;
  readonly namespaces: NamespaceSelection;
  readonly pods: Selector;
  readonly members: Set<Identity>;
  readonly subjectOf: Set<PolicyState>;
  /** How many rules of each policy have it as a peer. */
  readonly peerOf: Map<PolicyState, number>;
  /** Indices of the columns of its members; undefined while they have to be looked up. See columnsOf(). */
  columns: Int32Array | undefined;
}

/** Namespaces: one by its name, or those that a selector selects. */
export interface NamespaceSelection {
  readonly key: string;
  readonly selector: Selector | undefined;
  readonly names: Set<string>;
  readonly selections: Set<Selection>;
}

/** A policy in the table. */
export interface PolicyState {
  readonly key: string;
  readonly id: number;
  policy: NetworkPolicy;
  /** Its place among the policies, for whoever lists them. */
  order: number;
  subjects: Selection;
  /** Its rules, while it isolates any subject; undefined for a direction that it ignores. */
  readonly rules: Record<Direction, readonly RuleState[] | undefined>;
  /** The rows that its rules are part of. */
  readonly rows: Set<Row>;
}

/** A rule in the table. */
export interface RuleState {
  /** Both empty for a rule that matches any peer. */
  readonly selections: readonly Selection[];
  readonly blocks: readonly Block[];
  readonly matchesAny: boolean;
  /** Whether what its ports are depends on the destination pod. */
  readonly isNamed: boolean;
  /** The port set that it allows where the destination has these port names. */
  ports(names: PortNames | undefined): number;
  /** Whether its peers, if they are a list, match the column. */
  matches(column: Column): boolean;
  /** Calls back with indices of the columns that its peers match, with some of them maybe more than once. Cost: as many. */
  eachColumn(each: (column: number) => void): void;
}

/** What a row is made from. */
export interface RowSource {
  readonly direction: Direction;
  readonly policies: readonly PolicyState[];
  /** Of its subjects, where they matter: only for ingress rules that name ports. */
  readonly names: PortNames | undefined;
  /** The port set that it allows any address, whatever its policies say. */
  readonly base: number;
}

/** The words of a row. */
export interface RowContent {
  /** For each BLOCK_COLUMNS, a block of pages. */
  readonly blocks: Int32Array;
  /**
   * The port sets that the bytes of its pages stand for: rows that differ in ports only have the same
   * pages. Undefined in a flat table, and if they are too many for bytes; the words of its pages are then the port sets.
   */
  readonly palette: { readonly sets: readonly number[]; readonly offset: number } | undefined;
}

/** What the policies that isolate some identities allow them in one direction. */
export interface Row extends RowSource {
  readonly key: string;
  /** How many identities have it. */
  identities: number;
  /** Where its words lie in the arena. */
  offset: number;
  /** Undefined until it is made. */
  content: RowContent | undefined;
  /** Columns to be computed again; `all` where that is every one, undefined where it is none. */
  stale: Set<number> | 'all' | undefined;
}
