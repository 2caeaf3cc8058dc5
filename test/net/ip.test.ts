import { describe, expect, test } from 'vitest';
import { fromBytes, fromWords, parseIp, sameIp, toBytes } from '../../src/net/ip.ts';

describe('parseIp takes', () => {
  test.each([
    ['0.0.0.0', '0.0.0.0', [0]],
    ['10.1.2.3', '10.1.2.3', [0x0a010203]],
    ['255.255.255.255', '255.255.255.255', [0xffffffff]],
    ['128.0.0.1', '128.0.0.1', [0x80000001]],
    ['::', '::', [0, 0, 0, 0]],
    ['::1', '::1', [0, 0, 0, 1]],
    ['2001:0DB8:0000:0000:0000:0000:0000:0001', '2001:db8::1', [0x20010db8, 0, 0, 1]],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8', [0x10002, 0x30004, 0x50006, 0x70008]],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', Array(4).fill(0xffffffff)],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0', [0x10002, 0x30004, 0x50006, 0x70000]],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221', [0x64ff9b, 0, 0, 0xc0000221]],
  ])('%s as %s', (text, canonical, words) => {
    const address = parseIp(text);
    expect(address).toEqual({ family: words.length === 1 ? 4 : 6, words, text: canonical });
  });
});

describe('parseIp writes IPv6 as RFC 5952 asks', () => {
  test.each([
    ['the longest run of zeros is shortened', '1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['of equal runs the first', '1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
    ['a single zero is not shortened', '1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['letters are small', 'ABCD:EF::', 'abcd:ef::'],
    ['leading zeros go', '0001:0023:0456::', '1:23:456::'],
  ])('%s: %s', (_, text, canonical) => {
    expect(parseIp(text)?.text).toBe(canonical);
  });
});

describe('parseIp keeps an IPv4-mapped address apart from the IPv4 address', () => {
  test('it is IPv6', () => {
    expect(parseIp('::ffff:10.1.2.3')).toMatchObject({ family: 6, words: [0, 0, 0xffff, 0x0a010203] });
  });

  test('both its notations are the same address', () => {
    expect(parseIp('::ffff:10.1.2.3')).toEqual(parseIp('::ffff:a01:203'));
  });

  test('its text is not the text of the IPv4 address', () => {
    expect(parseIp('::ffff:10.1.2.3')?.text).not.toBe('10.1.2.3');
  });
});

describe('parseIp refuses', () => {
  test.each([
    ['nothing', ''],
    ['a name', 'localhost'],
    ['three parts', '10.1.2'],
    ['five parts', '10.1.2.3.4'],
    ['one number', '167838211'],
    ['a leading zero', '10.01.2.3'],
    ['hexadecimal', '0xa.1.2.3'],
    ['a part over 255', '10.1.2.256'],
    ['a negative part', '10.1.2.-3'],
    ['an empty part', '10..2.3'],
    ['space before', ' 10.1.2.3'],
    ['a line end behind', '10.1.2.3\n'],
    ['a prefix', '10.1.2.3/32'],
    ['a port', '10.1.2.3:80'],
    ['other digits', '١٠.1.2.3'],
    ['a zone', 'fe80::1%eth0'],
    ['brackets', '[::1]'],
    ['two gaps', '1::2::3'],
    ['a gap for nothing', '1:2:3:4:5:6:7::8'],
    ['three colons', ':::1'],
    ['seven groups', '1:2:3:4:5:6:7'],
    ['nine groups', '1:2:3:4:5:6:7:8:9'],
    ['five digits in a group', '12345::'],
    ['no hexadecimal digit', 'g::1'],
    ['a colon at the end', '1:2:3:4:5:6:7:'],
    ['a colon before', ':1:2:3:4:5:6:7'],
    ['a space behind', '::1 '],
    ['an IPv4 part that is too large', '::ffff:10.1.2.256'],
    ['an IPv4 part that is too short', '::ffff:10.1.2'],
    ['an IPv4 part in the middle', '::10.1.2.3:1'],
    ['a leading zero in the IPv4 part', '::ffff:010.1.2.3'],
    ['hexadecimal in the IPv4 part', '::ffff:0xa.1.2.3'],
  ])('%s: %j', (_, text) => {
    expect(parseIp(text)).toBeUndefined();
  });
});

describe('bytes and words', () => {
  test.each(['0.0.0.0', '203.0.113.255', '255.0.255.0', '::', '2001:db8:8000::ff', '::ffff:1.2.3.4'])(
    '%s survives both ways',
    (text) => {
      const address = parseIp(text);
      expect(address).toBeDefined();
      expect(fromBytes(toBytes(address?.words ?? []))).toEqual(address);
      expect(fromWords(address?.words ?? [])).toEqual(address);
    },
  );

  test('are in network order', () => {
    expect(toBytes([0x80010203])).toEqual([0x80, 1, 2, 3]);
  });

  test.each([0, 3, 5, 8, 15, 17])('%i bytes are no address', (length) => {
    expect(() => fromBytes(new Uint8Array(length))).toThrow(RangeError);
  });
});

describe('sameIp', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['2001:db8::1', '2001:0db8:0::0:1', true],
    ['0.0.0.0', '::', false],
    ['1.2.3.4', '::ffff:1.2.3.4', false],
  ])('%s and %s: %s', (one, other, want) => {
    const [first, second] = [parseIp(one), parseIp(other)];
    expect(first && second && sameIp(first, second)).toBe(want);
  });
});
