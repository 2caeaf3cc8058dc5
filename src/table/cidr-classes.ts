import type { BlockPeer } from '../model/policy.ts';
import type { Family } from '../net/ip.ts';
import { contains, type Prefix } from '../net/prefix.ts';
import { getOrMake } from './get-or-make.ts';
import { PrefixTrie } from './prefix-trie.ts';

/** Classes of addresses that the same ipBlocks cover. Class 0 is covered by none. */
export interface CidrClasses {
  readonly count: number;
  /** For each family, from an address to its class. All prefixes are in; addresses may be added. */
  readonly tries: Readonly<Record<Family, PrefixTrie>>;
  /** The classes that the block covers. */
  of(block: BlockPeer): readonly number[];
}

/** A prefix that a block names, and the blocks that begin or end to cover at it. */
interface Edge {
  readonly prefix: Prefix;
  readonly cidrOf: Set<number>;
  readonly exceptOf: Set<number>;
}

/** Cuts the addresses of both families into classes. Cost: for each prefix, the blocks that cover it. */
export function classifyCidrs(blocks: Iterable<BlockPeer>): CidrClasses {
  const ids = new Map<string, number>();
  const edges = new Map<string, Edge>();
  for (const block of blocks) {
    if (ids.has(blockKey(block))) continue;
    const id = ids.size;
    ids.set(blockKey(block), id);
    addEdges(edges, block, id);
  }
  const classes = new Map<string, number>([['', 0]]);
  const covered: number[][] = [];
  const tries = { 4: new PrefixTrie(0), 6: new PrefixTrie(0) };
  for (const family of [4, 6] as const) {
    const found = coverings([...edges.values()].filter(({ prefix }) => prefix.family === family));
    for (const { prefix, blocks: covering } of found.sort((one, other) => one.prefix.length - other.prefix.length)) {
      const cidrClass = getOrMake(classes, covering.join(), () => {
        for (const block of covering) (covered[block] ??= []).push(classes.size);
        return classes.size;
      });
      tries[family].insert(prefix, cidrClass);
    }
  }
  return { count: classes.size, tries, of: (block) => covered[ids.get(blockKey(block)) ?? -1] ?? [] };
}

function addEdges(edges: Map<string, Edge>, block: BlockPeer, id: number): void {
  const edge = (prefix: Prefix): Edge =>
    getOrMake(edges, prefix.text, () => ({ prefix, cidrOf: new Set(), exceptOf: new Set() }));
  edge(block.cidr).cidrOf.add(id);
  for (const except of block.except) {
    // Validation lets no such except pass; it leaves nothing of the block.
    if (except.length <= block.cidr.length && holds(except, block.cidr)) edge(block.cidr).exceptOf.add(id);
    else edge(except).exceptOf.add(id);
  }
}

/** For each prefix of one family, the blocks that cover the addresses in it that are in no longer one. */
function coverings(edges: readonly Edge[]): { prefix: Prefix; blocks: readonly number[] }[] {
  const sorted = [...edges].sort((one, other) => inOrder(one.prefix, other.prefix));
  const around: { prefix: Prefix; blocks: readonly number[] }[] = [];
  return sorted.map(({ prefix, cidrOf, exceptOf }) => {
    for (let last = around.at(-1); last && !holds(last.prefix, prefix); last = around.at(-1)) around.pop();
    // A block begins at one prefix only, so it cannot begin again within its except.
    const outer = around.at(-1)?.blocks ?? [];
    const blocks = [...outer, ...cidrOf].filter((block) => !exceptOf.has(block)).sort((one, other) => one - other);
    const covering = { prefix, blocks };
    around.push(covering);
    return covering;
  });
}

function holds(outer: Prefix, inner: Prefix): boolean {
  return contains(outer, { family: inner.family, words: inner.words, text: '' });
}

/** By address, outer prefixes before those in them. */
function inOrder(one: Prefix, other: Prefix): number {
  for (const [index, word] of one.words.entries()) {
    const difference = word - (other.words[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

function blockKey(block: BlockPeer): string {
  return [block.cidr.text, ...block.except.map(({ text }) => text).sort()].join(' ');
}
