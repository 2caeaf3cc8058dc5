import { invariant } from '../model/invariant.ts';
import type { Family, IpAddress } from '../net/ip.ts';
import { bits } from '../net/prefix.ts';
import { AddressTree, outerEntry, walk, type TreeNode } from './address-tree.ts';
import type { Arena } from './arena.ts';
import { isEmpty, type CidrClasses } from './cidr-classes.ts';
import { PLACE, STRIDES } from './layout.ts';
import { PrefixTrie, type Bits } from './prefix-trie.ts';
import type { Records } from './records.ts';
import type { Block, CidrClass, Place, AddressRecord } from './table-state.ts';

/** A prefix that has a record: one that blocks begin or end at, or the address of a pod or a node. */
export interface Entry {
  readonly family: Family;
  readonly node: TreeNode<Entry>;
  /** The blocks whose CIDR or one of whose excepts it is. */
  cidrOf: readonly Block[];
  exceptOf: readonly Block[];
  cidrClass: CidrClass;
  place: Place;
  /** Undefined once the entry is gone. */
  record: AddressRecord | undefined;
}

const NO_BLOCKS: readonly Block[] = [];
const NOWHERE: Place = { identity: undefined, hosted: 0 };

/** From every address to its record. Changes reach the readers' tries with publish(). */
export class AddressMap {
  readonly #cidrs: CidrClasses;
  readonly #records: Records;
  readonly #tries: Readonly<Record<Family, PrefixTrie>>;
  readonly #trees: Readonly<Record<Family, AddressTree<Entry>>>;
  #changed = new Set<Entry>();

  constructor(arena: Arena, cidrs: CidrClasses, records: Records) {
    this.#cidrs = cidrs;
    this.#records = records;
    const outside = cidrs.of([]);
    const tree = (family: Family): AddressTree<Entry> =>
      new AddressTree(family === 4 ? [0] : [0, 0, 0, 0], (node) => this.#enter(family, node, outside));
    this.#trees = { 4: tree(4), 6: tree(6) };
    const { offset } = records.acquire(outside, NOWHERE);
    this.#tries = {
      4: new PrefixTrie(arena, STRIDES[4], { root: PLACE.ipv4, value: offset }),
      6: new PrefixTrie(arena, STRIDES[6], { root: PLACE.ipv6, value: offset }),
    };
  }

  /** Lets a new block cover its addresses. Cost: the entries within it. */
  addBlock(block: Block): void {
    if (isEmpty(block)) return;
    const first = this.#edge(block.cidr);
    first.cidrOf = [...first.cidrOf, block];
    for (const except of block.except) {
      const hole = this.#edge(except);
      hole.exceptOf = [...hole.exceptOf, block];
    }
    const covered = new Map<CidrClass, Entry[]>();
    walk(first.node, ({ entry }) => {
      if (entry?.exceptOf.includes(block)) return false;
      if (entry) listAt(covered, entry.cidrClass).push(entry);
      return true;
    });
    for (const [cidrClass, entries] of covered) {
      const covering = [...cidrClass.covering, block]; // its id is the highest
      // A class as a whole keeps its columns and records.
      if (entries.length === cidrClass.entries) this.#cidrs.cover(cidrClass, covering);
      else for (const entry of entries) this.#reclassify(entry, this.#cidrs.of(covering));
    }
  }

  /** Lets a block cover nothing any more. Cost: the classes that it covered. */
  removeBlock(block: Block): void {
    for (const cidrClass of [...block.classes]) {
      this.#cidrs.cover(
        cidrClass,
        cidrClass.covering.filter((other) => other !== block),
      );
    }
    if (isEmpty(block)) return;
    for (const edge of [block.cidr, ...block.except]) {
      const entry = this.#edge(edge); // one that is dropped already, if the block has it twice
      entry.cidrOf = entry.cidrOf.filter((other) => other !== block);
      entry.exceptOf = entry.exceptOf.filter((other) => other !== block);
      this.#dropIfUnused(entry);
    }
  }

  /** The entry of an address, made if there is none. */
  entryOf({ family, words }: IpAddress): Entry {
    return this.#edge({ family, words, length: bits(family) });
  }

  /** Puts an address into its place; undefined for one that is neither a pod's nor a node's. */
  put(entry: Entry, place: Place | undefined): void {
    this.#assign(entry, entry.cidrClass, place ?? NOWHERE);
    this.#dropIfUnused(entry);
  }

  /** Where the record of an address lies in the arena, as of the last publish(). */
  lookup({ family, words }: IpAddress): number {
    return this.#tries[family].lookup(words);
  }

  /** Bytes of both tries. */
  get trieBytes(): number {
    return this.#tries[4].bytes + this.#tries[6].bytes;
  }

  /** Most words that publish() allocates. */
  get wordsToPublish(): number {
    let words = 0;
    for (const { family, node } of this.#changed) words += this.#tries[family].wordsToSet(node);
    return words;
  }

  /** Writes what has changed to the tries. */
  publish(): void {
    for (const { family, node, record } of this.#changed) {
      if (record) this.#tries[family].set(node, record.offset);
      else this.#tries[family].remove(node, this.#outerLeaf(family, node));
    }
    this.#changed = new Set();
  }

  #outerLeaf(family: Family, prefix: Bits): { value: number; length: number } {
    const outer = this.#trees[family].outer(prefix);
    invariant(outer?.record, 'every prefix is within that of length 0');
    return { value: outer.record.offset, length: outer.node.length };
  }

  #edge(prefix: Bits & { readonly family: Family }): Entry {
    const tree = this.#trees[prefix.family];
    const node = tree.add(prefix);
    if (node.entry) return node.entry;
    const outer = outerEntry(node);
    invariant(outer, 'every prefix is within that of length 0');
    return (node.entry = this.#enter(prefix.family, node, outer.cidrClass));
  }

  #enter(family: Family, node: TreeNode<Entry>, cidrClass: CidrClass): Entry {
    cidrClass.entries += 1;
    const record = this.#records.acquire(cidrClass, NOWHERE);
    const entry: Entry = {
      family,
      node,
      cidrOf: NO_BLOCKS,
      exceptOf: NO_BLOCKS,
      cidrClass,
      place: NOWHERE,
      record,
    };
    this.#changed.add(entry);
    return entry;
  }

  #reclassify(entry: Entry, cidrClass: CidrClass): void {
    const before = entry.cidrClass;
    cidrClass.entries += 1;
    this.#assign(entry, cidrClass, entry.place);
    this.#cidrs.leave(before);
  }

  #assign(entry: Entry, cidrClass: CidrClass, place: Place): void {
    const before = entry.record;
    const record = this.#records.acquire(cidrClass, place);
    entry.cidrClass = cidrClass;
    entry.place = place;
    entry.record = record;
    if (before) this.#records.release(before);
    if (before !== record) this.#changed.add(entry);
  }

  #dropIfUnused(entry: Entry): void {
    const { node, cidrOf, exceptOf, place, record } = entry;
    if (cidrOf.length > 0 || exceptOf.length > 0 || place !== NOWHERE || !node.up || !record) return;
    entry.record = undefined;
    this.#changed.add(entry);
    this.#records.release(record);
    this.#cidrs.leave(entry.cidrClass);
    node.entry = undefined;
    this.#trees[entry.family].prune(node);
  }
}

function listAt<K>(map: Map<K, Entry[]>, key: K): Entry[] {
  let list = map.get(key);
  if (!list) map.set(key, (list = []));
  return list;
}
