import { fromWords, type IpAddress } from '../../src/net/ip.ts';
import { prefixOf, type Prefix } from '../../src/net/prefix.ts';

/** The prefix, and behind it the bits of the address. */
export function withSuffix(prefix: Prefix, address: IpAddress): IpAddress {
  const front = prefixOf(address, prefix.length).words;
  return fromWords(
    prefix.words.map((word, index) => (word | ((address.words[index] ?? 0) ^ (front[index] ?? 0))) >>> 0),
  );
}

/** The lowest address of the prefix. */
export function firstOf(prefix: Prefix): IpAddress {
  return fromWords(prefix.words);
}

/** The highest address of the prefix. */
export function lastOf(prefix: Prefix): IpAddress {
  return withSuffix(prefix, fromWords(prefix.words.map(() => 0xffffffff)));
}

/** The address after this one; the lowest after the highest. */
export function after(address: IpAddress): IpAddress {
  return moved(address, 1, 0xffffffff);
}

/** The address before this one; the highest before the lowest. */
export function before(address: IpAddress): IpAddress {
  return moved(address, -1, 0);
}

/** One step; words that are `full` hand the step on to the word before them. */
function moved(address: IpAddress, step: 1 | -1, full: number): IpAddress {
  const words = [...address.words];
  for (let index = words.length - 1; index >= 0; index -= 1) {
    const word = words[index] ?? 0;
    words[index] = (word + step) >>> 0;
    if (word !== full) break;
  }
  return fromWords(words);
}
