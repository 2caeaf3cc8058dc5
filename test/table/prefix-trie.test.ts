import { describe, expect, test } from 'vitest';
import { fromWords, type Family, type IpAddress } from '../../src/net/ip.ts';
import { bits, contains, prefixOf, type Prefix } from '../../src/net/prefix.ts';
import { Arena } from '../../src/table/arena.ts';
import { ENTRY_WORDS, MAX_WORDS, PLACE, STRIDES } from '../../src/table/layout.ts';
import { PrefixTrie } from '../../src/table/prefix-trie.ts';
import { after, before, firstOf, lastOf } from '../builders/address-arithmetic.ts';
import { ip, prefix } from '../builders/address.ts';
import { Random } from '../builders/random.ts';

const SEED = 1;
const NONE = 0;

describe.each<Family>([4, 6])('IPv%i', (family) => {
  test.each([1, 10, 300])(`agrees with a scan of %i random prefixes (seed ${SEED})`, (count) => {
    const random = new Random(SEED + count);
    const prefixes = random.list(count, count, () => randomPrefix(random, family));
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
  expect(trieOf(prefixes.map(prefix)).lookup(ip(address).words)).toBe(want * ENTRY_WORDS);
});

test('holds the largest value', () => {
  const trie = emptyTrie(4);
  trie.set(prefix('10.0.0.0/8'), MAX_WORDS - ENTRY_WORDS);
  expect(trie.lookup(ip('10.0.0.1').words)).toBe(MAX_WORDS - ENTRY_WORDS);
});

test.each<Family>([4, 6])('IPv%i: prefixes come and go in any order, and leave nothing behind', (family) => {
  const random = new Random(SEED + family);
  const arena = new Arena();
  const trie = emptyTrie(family, arena);
  const empty = trie.bytes;
  const held: Prefix[] = [];
  for (let step = 0; step < 400; step += 1) {
    const made = randomPrefix(random, family);
    if (held.length > 0 && (step >= 300 || random.chance(0.4))) {
      const [gone] = held.splice(random.between(0, held.length - 1), 1);
      if (gone) trie.remove(gone, outerOf(held, gone));
    } else if (made.length > 0 && held.every(({ text }) => text !== made.text)) {
      held.push(made);
      trie.set(made, valueOf(made));
    }
    const edges = random.some(held, 5).flatMap((each) => [firstOf(each), lastOf(each)]);
    const queries = [...edges.flatMap((edge) => [before(edge), edge, after(edge)]), randomAddress(random, family)];
    for (const query of queries) {
      expect(`${query.text} ${trie.lookup(query.words)}`).toBe(`${query.text} ${longest(held, query)}`);
    }
  }
  for (const each of held.splice(0)) trie.remove(each, outerOf([], each));
  expect(trie.bytes).toBe(empty);
});

function emptyTrie(family: Family, arena = new Arena()): PrefixTrie {
  return new PrefixTrie(arena, STRIDES[family], { root: family === 4 ? PLACE.ipv4 : PLACE.ipv6, value: NONE });
}

/** A trie in which each prefix has its place in the list, from 1, times the words of an entry. */
function trieOf(prefixes: readonly Prefix[]): PrefixTrie {
  const trie = emptyTrie(prefixes[0]?.family ?? 4);
  prefixes.forEach((each, index) => {
    trie.set(each, (index + 1) * ENTRY_WORDS);
  });
  return trie;
}

/** A value that differs for most prefixes. */
function valueOf({ words, length }: Prefix): number {
  return words.reduce((sum, word) => (sum * 31 + word) % 1_000_003, length) * ENTRY_WORDS;
}

function outerOf(held: readonly Prefix[], inner: Prefix): { value: number; length: number } {
  const around = held.filter((each) => each.length < inner.length && contains(each, firstOf(inner)));
  const [outer] = around.sort((one, other) => other.length - one.length);
  return outer ? { value: valueOf(outer), length: outer.length } : { value: NONE, length: 0 };
}

function longest(held: readonly Prefix[], address: IpAddress): number {
  const around = held.filter((each) => contains(each, address));
  const [found] = around.sort((one, other) => other.length - one.length);
  return found ? valueOf(found) : NONE;
}

function scan(prefixes: readonly Prefix[], address: IpAddress): number {
  let found = NONE;
  let length = -1;
  prefixes.forEach((each, index) => {
    if (each.length >= length && contains(each, address)) [found, length] = [(index + 1) * ENTRY_WORDS, each.length];
  });
  return found;
}

function randomPrefix(random: Random, family: Family): Prefix {
  return prefixOf(randomAddress(random, family), random.between(0, bits(family)));
}

/** Addresses of few first bits, so that prefixes hold one another. */
function randomAddress(random: Random, family: Family): IpAddress {
  const word = (): number => random.pick([0, 0xffffffff, 0x0a000000, 0x0a010203, random.word()]);
  return fromWords(family === 4 ? [word()] : [word(), word(), word(), word()]);
}
