import type { Bits } from './prefix-trie.ts';

/** A prefix of the tree, with an entry or only there because two branches part at it. */
export interface TreeNode<E> extends Bits {
  up: TreeNode<E> | undefined;
  /** Prefixes within it whose next bit is 0, and is 1. */
  zero: TreeNode<E> | undefined;
  one: TreeNode<E> | undefined;
  entry: E | undefined;
}

/** Prefixes and addresses of one family, as they lie within one another: a binary tree without nodes of one branch. */
export class AddressTree<E> {
  readonly #root: TreeNode<E>;
  #latest: TreeNode<E>; // the one added last: addresses come in order, more or less

  /** @param entry of the prefix of length 0. */
  constructor(words: readonly number[], entry: (node: TreeNode<E>) => E) {
    this.#root = { words, length: 0, up: undefined, zero: undefined, one: undefined, entry: undefined };
    this.#root.entry = entry(this.#root);
    this.#latest = this.#root;
  }

  /** The node of the prefix, made if there is none. Cost: the nodes between it and the one added before. */
  add(bits: Bits): TreeNode<E> {
    return (this.#latest = this.#addBelow(this.#around(bits), bits));
  }

  /** The innermost node that holds both the prefix and the one added before. */
  #around(bits: Bits): TreeNode<E> {
    let node = this.#latest;
    while (node.up && (node.length > bits.length || commonLength(node, bits) < node.length)) node = node.up;
    return node;
  }

  #addBelow(outer: TreeNode<E>, bits: Bits): TreeNode<E> {
    let node = outer;
    for (;;) {
      if (node.length === bits.length) return node;
      const child = childAt(node, bits);
      if (!child) return attach(node, leafOf(bits));
      const common = commonLength(child, bits);
      if (common < child.length) return this.#split(node, child, { bits, common });
      node = child;
    }
  }

  /** The entry of the longest prefix that holds this one and is not the same, which may be none of the tree's. */
  outer(bits: Bits): E | undefined {
    let found: E | undefined;
    let node: TreeNode<E> | undefined = this.#root;
    while (node && node.length < bits.length && commonLength(node, bits) === node.length) {
      found = node.entry ?? found;
      node = childAt(node, bits);
    }
    return found;
  }

  /** Takes a node without an entry out, unless branches part at it. */
  prune(node: TreeNode<E>): void {
    const { up, zero, one } = node;
    if (node.entry !== undefined || !up || (zero && one)) return;
    if (node === this.#latest) this.#latest = up;
    const only = zero ?? one;
    if (up.zero === node) up.zero = only;
    else up.one = only;
    if (only) only.up = up;
    else this.prune(up);
  }

  /** Puts a node above `child` where the two prefixes part. */
  #split(node: TreeNode<E>, child: TreeNode<E>, { bits, common }: { bits: Bits; common: number }): TreeNode<E> {
    if (common === bits.length) {
      const made = attach(node, leafOf<E>(bits));
      attach(made, child);
      return made;
    }
    const parting = attach(node, leafOf<E>({ words: masked(bits.words, common), length: common }));
    attach(parting, child);
    return attach(parting, leafOf(bits));
  }
}

/** The entry of the longest prefix that holds this node's and is not the same. */
export function outerEntry<E>(node: TreeNode<E>): E | undefined {
  let outer = node.up;
  while (outer && outer.entry === undefined) outer = outer.up;
  return outer?.entry;
}

/** Visits the nodes within one, itself first; not those within a node for which `visit` answers false. */
export function walk<E>(node: TreeNode<E>, visit: (node: TreeNode<E>) => boolean): void {
  const left = [node];
  for (let next = left.pop(); next; next = left.pop()) {
    if (!visit(next)) continue;
    if (next.one) left.push(next.one);
    if (next.zero) left.push(next.zero);
  }
}

function leafOf<E>({ words, length }: Bits): TreeNode<E> {
  return { words, length, up: undefined, zero: undefined, one: undefined, entry: undefined };
}

function attach<E>(node: TreeNode<E>, child: TreeNode<E>): TreeNode<E> {
  if (bitAt(child, node.length) === 0) node.zero = child;
  else node.one = child;
  child.up = node;
  return child;
}

function childAt<E>(node: TreeNode<E>, bits: Bits): TreeNode<E> | undefined {
  return bitAt(bits, node.length) === 0 ? node.zero : node.one;
}

function bitAt({ words }: Bits, index: number): number {
  return ((words[index >>> 5] ?? 0) >>> (31 - (index & 31))) & 1;
}

function masked(words: readonly number[], length: number): number[] {
  return words.map((word, index) => {
    const zeros = Math.min(32, Math.max(0, (index + 1) * 32 - length));
    return zeros === 32 ? 0 : (word & (-1 << zeros)) >>> 0;
  });
}

/** How many first bits two prefixes share. */
function commonLength(one: Bits, other: Bits): number {
  const most = Math.min(one.length, other.length);
  for (let index = 0; index * 32 < most; index++) {
    const difference = (one.words[index] ?? 0) ^ (other.words[index] ?? 0);
    if (difference !== 0) return Math.min(most, index * 32 + Math.clz32(difference));
  }
  return most;
}
