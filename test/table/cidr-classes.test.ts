import { describe, expect, test } from 'vitest';
import type { BlockPeer } from '../../src/model/policy.ts';
import type { IpAddress } from '../../src/net/ip.ts';
import { contains } from '../../src/net/prefix.ts';
import { AddressMap } from '../../src/table/address-map.ts';
import { Arena } from '../../src/table/arena.ts';
import { CidrClasses } from '../../src/table/cidr-classes.ts';
import { Columns } from '../../src/table/columns.ts';
import { PortSets } from '../../src/table/port-sets.ts';
import { Records } from '../../src/table/records.ts';
import { Rows } from '../../src/table/rows.ts';
import type { CidrClass, PolicyState } from '../../src/table/table-state.ts';
import { after, before, firstOf, lastOf } from '../builders/address-arithmetic.ts';
import { prefix } from '../builders/address.ts';

function block(cidr: string, ...except: readonly string[]): BlockPeer {
  return { kind: 'block', cidr: prefix(cidr), except: except.map(prefix), source: { file: 'test', line: 1 } };
}

const CASES = [
  { name: 'no block', blocks: [], count: 1 },
  { name: 'one block', blocks: [block('10.0.0.0/8')], count: 2 },
  { name: 'the same block twice', blocks: [block('10.0.0.0/8'), block('10.0.0.0/8')], count: 2 },
  {
    name: 'the same excepts in another order',
    blocks: [block('10.0.0.0/8', '10.1.0.0/16', '10.2.0.0/16'), block('10.0.0.0/8', '10.2.0.0/16', '10.1.0.0/16')],
    count: 2,
  },
  { name: 'a block in a block', blocks: [block('10.0.0.0/8'), block('10.1.0.0/16')], count: 3 },
  { name: 'an except is like outside', blocks: [block('10.0.0.0/8', '10.1.0.0/16')], count: 2 },
  { name: 'an except in an except', blocks: [block('10.0.0.0/8', '10.1.0.0/16', '10.1.1.0/24')], count: 2 },
  { name: 'a block in an except', blocks: [block('10.0.0.0/8', '10.1.0.0/16'), block('10.1.2.0/24')], count: 3 },
  {
    name: 'excepts of two blocks',
    blocks: [block('10.0.0.0/8', '10.1.0.0/16'), block('0.0.0.0/0', '10.0.0.0/9', '10.128.0.0/24')],
    count: 4,
  },
  { name: 'an except of the whole block', blocks: [block('10.0.0.0/8', '10.0.0.0/8')], count: 1 },
  {
    name: 'an except wider than the block',
    blocks: [block('10.1.0.0/16', '10.0.0.0/8'), block('10.0.0.0/7')],
    count: 2,
  },
  {
    name: 'both families',
    blocks: [block('0.0.0.0/0'), block('::/0', '2001:db8::/32'), block('2001:db8:1::/48')],
    count: 4,
  },
];

const USER = {} as PolicyState; // blocks only count their users

/** A map with these blocks, which tells the class of an address, and takes blocks out again. */
class Classified {
  readonly cidrs = new CidrClasses();
  readonly #map: AddressMap;

  constructor() {
    const arena = new Arena();
    const columns = new Columns(() => undefined);
    const rows = new Rows(arena, columns, new PortSets(arena));
    this.#map = new AddressMap(arena, this.cidrs, new Records(arena, columns, rows));
  }

  add(peer: BlockPeer): () => void {
    const block = this.cidrs.acquire(peer, USER, (made) => {
      this.#map.addBlock(made);
    });
    return () => {
      if (this.cidrs.release(block, USER)) this.#map.removeBlock(block);
    };
  }

  classOf(address: IpAddress): CidrClass {
    const entry = this.#map.entryOf(address);
    const { cidrClass } = entry;
    this.#map.put(entry, undefined); // so that asking leaves no trace
    return cidrClass;
  }

  covers(peer: BlockPeer, address: IpAddress): boolean {
    const block = this.cidrs.acquire(peer, USER, () => {
      throw new Error('the block is known');
    });
    this.cidrs.release(block, USER);
    return block.classes.has(this.classOf(address));
  }
}

describe('classes tell apart what different blocks cover, and nothing else', () => {
  test.each(CASES)('$name', ({ blocks, count }) => {
    for (const order of [blocks, blocks.toReversed()]) {
      const classified = new Classified();
      for (const each of order) classified.add(each);
      expect(classified.cidrs.count).toBe(count);
      check(classified, blocks);
    }
  });

  test.each(CASES)('also after others have gone: $name', ({ blocks, count }) => {
    const classified = new Classified();
    const others = CASES.flatMap((each) => each.blocks).map((each) => classified.add(each));
    const own = blocks.map((each) => classified.add(each));
    for (const remove of others) remove();
    check(classified, blocks);
    expect(classified.cidrs.count).toBeGreaterThanOrEqual(count);
    for (const remove of own) remove();
    // The blocks of all addresses may have left each family a class of its own.
    expect(classified.cidrs.count).toBeLessThanOrEqual(2);
  });
});

function check(classified: Classified, blocks: readonly BlockPeer[]): void {
  const prefixes = blocks.flatMap(({ cidr, except }) => [cidr, ...except]);
  const edges = prefixes.flatMap((each) => [firstOf(each), lastOf(each)]);
  for (const address of edges.flatMap((edge) => [before(edge), edge, after(edge)])) {
    const covering = blocks.map((each) => classified.covers(each, address));
    expect([address.text, ...covering]).toEqual([address.text, ...blocks.map((each) => covers(each, address))]);
  }
}

function covers({ cidr, except }: BlockPeer, address: IpAddress): boolean {
  return contains(cidr, address) && !except.some((each) => contains(each, address));
}
