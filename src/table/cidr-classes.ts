import type { BlockPeer } from '../model/policy.ts';
import { contains } from '../net/prefix.ts';
import { getOrMake } from './get-or-make.ts';
import type { Block, CidrClass, PolicyState } from './table-state.ts';

/** The blocks and classes in use. */
export class CidrClasses {
  readonly #blocks = new Map<string, Block>();
  readonly #byCovering = new Map<string, CidrClass>();
  #nextId = 0;
  #count = 0;

  /** Number of classes. */
  get count(): number {
    return this.#count;
  }

  /** The block, with a use more. @param onMake called with one that was not there, before it has users. */
  acquire(peer: BlockPeer, user: PolicyState, onMake: (block: Block) => void): Block {
    const key = [peer.cidr.text, ...peer.except.map(({ text }) => text).sort()].join(' ');
    const block = getOrMake(this.#blocks, key, () => {
      const { cidr, except } = peer;
      const made = {
        id: this.#nextId++,
        key,
        cidr,
        except,
        users: new Map<PolicyState, number>(),
        classes: new Set<CidrClass>(),
      };
      onMake(made);
      return made;
    });
    block.users.set(user, (block.users.get(user) ?? 0) + 1);
    return block;
  }

  /** A use less. @returns whether it was the last one of all. */
  release(block: Block, user: PolicyState): boolean {
    const left = (block.users.get(user) ?? 0) - 1;
    if (left > 0) block.users.set(user, left);
    else block.users.delete(user);
    return block.users.size === 0 && this.#blocks.delete(block.key);
  }

  /** A class that these blocks cover. */
  of(covering: readonly Block[]): CidrClass {
    return getOrMake(this.#byCovering, keyOf(covering), () => {
      const made: CidrClass = { covering, entries: 0, columns: new Map() };
      for (const block of covering) block.classes.add(made);
      this.#count += 1;
      return made;
    });
  }

  /** Lets a class be covered by other blocks. */
  cover(cidrClass: CidrClass, covering: readonly Block[]): void {
    this.#forget(cidrClass);
    for (const block of cidrClass.covering) block.classes.delete(cidrClass);
    for (const block of covering) block.classes.add(cidrClass);
    cidrClass.covering = covering;
    // Where another class has the key already, both stay: what differs is only how they came about.
    getOrMake(this.#byCovering, keyOf(covering), () => cidrClass);
  }

  /** An entry less has the class. */
  leave(cidrClass: CidrClass): void {
    cidrClass.entries -= 1;
    if (cidrClass.entries > 0) return;
    this.#forget(cidrClass);
    for (const block of cidrClass.covering) block.classes.delete(cidrClass);
    this.#count -= 1;
  }

  #forget(cidrClass: CidrClass): void {
    const key = keyOf(cidrClass.covering);
    if (this.#byCovering.get(key) === cidrClass) this.#byCovering.delete(key);
  }
}

/** Whether the block leaves nothing of itself. Validation lets no such block pass. */
export function isEmpty({ cidr, except }: Block): boolean {
  const first = { family: cidr.family, words: cidr.words, text: '' };
  return except.some((hole) => hole.length <= cidr.length && contains(hole, first));
}

function keyOf(covering: readonly Block[]): string {
  return covering.length === 1 ? String(covering[0]?.id) : covering.map(({ id }) => id).join();
}
