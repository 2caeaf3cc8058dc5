import { fromWords, type Family, type IpAddress } from '../net/ip.ts';
import { bits } from '../net/prefix.ts';

/** Addresses from first to last, both included, as integers. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** The address of that number. */
export function addressAt(number: bigint, family: Family): IpAddress {
  const words = family === 4 ? 1 : 4;
  return fromWords(
    Array.from({ length: words }, (_, index) => Number((number >> BigInt(32 * (words - 1 - index))) & 0xffffffffn)),
  );
}

/** The fewest CIDRs that make up the range. */
export function cidrsOf({ first, last }: AddressRange, family: Family): string[] {
  const cidrs: string[] = [];
  for (let at = first; at <= last;) {
    let host = 0;
    while (host < bits(family) && (at & (1n << BigInt(host))) === 0n && at + (1n << BigInt(host + 1)) - 1n <= last)
      host += 1;
    cidrs.push(`${addressAt(at, family).text}/${bits(family) - host}`);
    at += 1n << BigInt(host);
  }
  return cidrs;
}

/** The ranges in order, those that touch put together. */
export function joinedRanges(ranges: readonly AddressRange[]): AddressRange[] {
  const whole: AddressRange[] = [];
  for (const range of [...ranges].sort((one, other) => ascending(one.first, other.first))) {
    const before = whole.at(-1);
    if (before && before.last + 1n >= range.first) {
      whole.splice(-1, 1, { first: before.first, last: before.last > range.last ? before.last : range.last });
    } else whole.push(range);
  }
  return whole;
}

/** Orders integers from low to high. */
export function ascending(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
