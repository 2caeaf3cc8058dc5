import { describe, expect, test } from 'vitest';
import { fromWords, type Family, type IpAddress } from '../../src/net/ip.ts';
import { bits, contains, prefixOf, type Prefix } from '../../src/net/prefix.ts';
import { PrefixTrie } from '../../src/table/prefix-trie.ts';
import { after, before, firstOf, lastOf } from '../builders/address-arithmetic.ts';
import { ip, prefix } from '../builders/address.ts';
import { Random } from '../builders/random.ts';

const SEED = 1;
const NONE = 0;

describe.each<Family>([4, 6])('IPv%i', (family) => {
  test.each([1, 10, 300])(`agrees with a scan of %i random prefixes (seed ${SEED})`, (count) => {
    const random = new Random(SEED + count);
    const prefixes = random.list(count, count, () => randomPrefix(random, family)).sort(byLength);
    const trie = trieOf(prefixes);
    const edges = prefixes.flatMap((each) => [firstOf(each), lastOf(each)]);
    const queries = [
      ...edges.flatMap((edge) => [before(edge), edge, after(edge)]),
      ...random.list(500, 500, () => randomAddress(random, family)),
    ];
    for (const query of queries) {
      expect(`${query.text} ${trie.lookup(query.words)}`).toBe(`${query.text} ${scan(prefixes, query)}`);
    }
  });
});

test.each([
  { prefixes: [], address: '10.0.0.1', want: 0 },
  { prefixes: ['0.0.0.0/0'], address: '255.255.255.255', want: 1 },
  { prefixes: ['0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.128.0/17'], address: '10.1.127.255', want: 3 },
  { prefixes: ['0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.128.0/17'], address: '10.1.128.0', want: 4 },
  { prefixes: ['10.1.2.3/32'], address: '10.1.2.3', want: 1 },
  { prefixes: ['10.1.2.3/32'], address: '10.1.2.2', want: 0 },
  { prefixes: ['10.0.0.0/8', '10.0.0.0/8'], address: '10.1.2.2', want: 2 },
  { prefixes: ['::/0', '2001:db8::1/128'], address: '2001:db8::1', want: 2 },
  { prefixes: ['::/0', '2001:db8::1/128'], address: '2001:db8::2', want: 1 },
])('$address in $prefixes', ({ prefixes, address, want }) => {
  expect(trieOf(prefixes.map(prefix)).lookup(ip(address).words)).toBe(want);
});

test('holds the largest value', () => {
  const trie = new PrefixTrie(NONE);
  trie.insert(prefix('10.0.0.0/8'), 2 ** 31 - 1);
  expect(trie.lookup(ip('10.0.0.1').words)).toBe(2 ** 31 - 1);
});

test('refuses a prefix shorter than one that it holds', () => {
  const trie = trieOf([prefix('10.1.0.0/16')]);
  expect(() => trie.insert(prefix('10.0.0.0/8'), 1)).toThrow(RangeError);
});

/** A trie in which each prefix has its place in the list, from 1. */
function trieOf(prefixes: readonly Prefix[]): PrefixTrie {
  const trie = new PrefixTrie(NONE);
  prefixes.forEach((each, index) => trie.insert(each, index + 1));
  return trie;
}

function scan(prefixes: readonly Prefix[], address: IpAddress): number {
  let found = NONE;
  let length = -1;
  prefixes.forEach((each, index) => {
    if (each.length >= length && contains(each, address)) [found, length] = [index + 1, each.length];
  });
  return found;
}

function byLength(one: Prefix, other: Prefix): number {
  return one.length - other.length;
}

function randomPrefix(random: Random, family: Family): Prefix {
  return prefixOf(randomAddress(random, family), random.between(0, bits(family)));
}

/** Addresses of few first bits, so that prefixes hold one another. */
function randomAddress(random: Random, family: Family): IpAddress {
  const word = (): number => random.pick([0, 0xffffffff, 0x0a000000, 0x0a010203, random.word()]);
  return fromWords(family === 4 ? [word()] : [word(), word(), word(), word()]);
}
