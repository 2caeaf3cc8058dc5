import { describe, expect, test } from 'vitest';
import type { BlockPeer } from '../../src/model/policy.ts';
import type { IpAddress } from '../../src/net/ip.ts';
import { contains } from '../../src/net/prefix.ts';
import { classifyCidrs } from '../../src/table/cidr-classes.ts';
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

describe('classes tell apart what different blocks cover, and nothing else', () => {
  test.each(CASES)('$name', ({ blocks, count }) => {
    const classes = classifyCidrs(blocks);
    expect(classes.count).toBe(count);
    const prefixes = blocks.flatMap(({ cidr, except }) => [cidr, ...except]);
    const edges = prefixes.flatMap((each) => [firstOf(each), lastOf(each)]);
    for (const address of edges.flatMap((edge) => [before(edge), edge, after(edge)])) {
      const cidrClass = classes.tries[address.family].lookup(address.words);
      const covering = blocks.map((each) => classes.of(each).includes(cidrClass));
      expect([address.text, ...covering]).toEqual([address.text, ...blocks.map((each) => covers(each, address))]);
    }
  });
});

function covers({ cidr, except }: BlockPeer, address: IpAddress): boolean {
  return contains(cidr, address) && !except.some((each) => contains(each, address));
}
