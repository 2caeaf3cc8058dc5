import { describe, expect, test } from 'vitest';
import { fromWords } from '../../src/net/ip.ts';
import { bits, contains, isStrictSubset, parsePrefix, prefixOf } from '../../src/net/prefix.ts';
import { after, before, firstOf, lastOf } from '../builders/address-arithmetic.ts';
import { ip, prefix } from '../builders/address.ts';
import { Random } from '../builders/random.ts';

describe('parsePrefix takes', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['203.0.113.9/32', '203.0.113.9/32'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['255.255.255.255/0', '0.0.0.0/0'],
    ['::/0', '::/0'],
    ['2001:DB8::1/32', '2001:db8::/32'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['2001:db8::1/128', '2001:db8::1/128'],
    ['ffff:ffff:ffff:ffff:ffff::/65', 'ffff:ffff:ffff:ffff:8000::/65'],
    ['::ffff:10.1.2.3/120', '::ffff:a01:200/120'],
  ])('%s as %s', (text, canonical) => {
    expect(parsePrefix(text)?.text).toBe(canonical);
  });
});

describe('parsePrefix refuses', () => {
  test.each([
    ['no length', '10.0.0.0'],
    ['an empty length', '10.0.0.0/'],
    ['no address', '/8'],
    ['an address of no sense', '10.0.0/8'],
    ['a length over 32', '10.0.0.0/33'],
    ['a length over 128', '::/129'],
    ['a negative length', '10.0.0.0/-1'],
    ['a signed length', '10.0.0.0/+8'],
    ['a leading zero', '10.0.0.0/08'],
    ['a fraction', '10.0.0.0/8.0'],
    ['an exponent', '10.0.0.0/1e1'],
    ['two lengths', '10.0.0.0/8/8'],
    ['a mask', '10.0.0.0/255.0.0.0'],
    ['a space', '10.0.0.0/ 8'],
    ['a line end', '10.0.0.0/8\n'],
    ['a zone', 'fe80::%eth0/64'],
  ])('%s: %j', (_, text) => {
    expect(parsePrefix(text)).toBeUndefined();
  });
});

describe('contains', () => {
  test.each([
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::', false],
    ['::/0', 'ffff::', true],
    ['::/0', '0.0.0.0', false],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['128.0.0.0/1', '127.255.255.255', false],
    ['128.0.0.0/1', '128.0.0.0', true],
    ['10.0.0.1/32', '10.0.0.1', true],
    ['10.0.0.1/32', '10.0.0.0', false],
    ['2001:db8::/32', '2001:db8:ffff::', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['2001:db8::/31', '2001:db9::', true],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['::ffff:0:0/96', '::ffff:1.2.3.4', true],
    ['::ffff:0:0/96', '1.2.3.4', false],
    ['::1/128', '::1', true],
    ['::1/128', '::', false],
  ])('%s, %s: %s', (block, address, want) => {
    expect(contains(prefix(block), ip(address))).toBe(want);
  });

  test.each([4, 6] as const)('holds at the bounds of prefixes of every length, IPv%i', (family) => {
    const random = new Random(family);
    for (let length = 1; length <= bits(family); length += 1) {
      const block = prefixOf(fromWords(family === 4 ? [random.word()] : words(random)), length);
      const [first, last] = [firstOf(block), lastOf(block)];
      expect([first, last].map((address) => contains(block, address))).toEqual([true, true]);
      expect([before(first), after(last)].map((address) => contains(block, address))).toEqual([false, false]);
    }
  });
});

function words(random: Random): number[] {
  return [random.word(), random.word(), random.word(), random.word()];
}

describe('isStrictSubset', () => {
  test.each([
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/8', '10.0.0.0/8', false],
    ['10.0.0.0/8', '10.1.0.0/16', false],
    ['11.0.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/9', '0.0.0.0/0', true],
    ['::/1', '0.0.0.0/0', false],
    ['2001:db8::/33', '2001:db8::/32', true],
    ['2001:db8:8000::/34', '2001:db8::/33', false],
  ])('%s of %s: %s', (inner, outer, want) => {
    expect(isStrictSubset(prefix(inner), prefix(outer))).toBe(want);
  });
});
