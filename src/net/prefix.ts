import { fromWords, parseIp, type Family, type IpAddress } from './ip.ts';

/** A CIDR prefix, host bits masked off. `length` is 0-32 (IPv4) or 0-128 (IPv6). */
export interface Prefix {
  readonly family: Family;
  readonly words: readonly number[];
  readonly length: number;
  readonly text: string;
}

const STRICT_LENGTH = /^(?:0|[1-9][0-9]{0,2})$/;

/** Parses `ADDRESS/LENGTH`, masking host bits off. @returns undefined if it is no prefix. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = parseIp(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  if (!address || !STRICT_LENGTH.test(lengthText)) return undefined;
  const length = Number(lengthText);
  return length <= bits(address.family) ? prefixOf(address, length) : undefined;
}

/** The prefix of `length` bits that holds the address. */
export function prefixOf(address: IpAddress, length: number): Prefix {
  const words = address.words.map((word, index) => (word & maskOfWord(length, index)) >>> 0);
  return { family: address.family, words, length, text: `${fromWords(words).text}/${length}` };
}

/** Number of bits of an address of this family. */
export function bits(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** Whether the address lies in the prefix; false for the other family. Cost: at most 4 compares. */
export function contains(prefix: Prefix, address: IpAddress): boolean {
  if (prefix.family !== address.family) return false;
  return prefix.words.every(
    (word, index) => ((address.words[index] ?? 0) & maskOfWord(prefix.length, index)) >>> 0 === word,
  );
}

/** Whether `inner` lies in `outer` and is longer. Source: ValidateIPBlock, kubernetes. */
export function isStrictSubset(inner: Prefix, outer: Prefix): boolean {
  const first: IpAddress = { family: inner.family, words: inner.words, text: '' };
  return inner.length > outer.length && contains(outer, first);
}

/** The mask of 32-bit word `index` of a prefix of `length` bits. */
function maskOfWord(length: number, index: number): number {
  const ones = Math.min(32, Math.max(0, length - index * 32));
  return ones === 0 ? 0 : (-1 << (32 - ones)) >>> 0;
}
