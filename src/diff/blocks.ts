import type { BlockPeer, NetworkPolicy } from '../model/policy.ts';
import type { Family, IpAddress } from '../net/ip.ts';
import { bits, contains, type Prefix } from '../net/prefix.ts';
import { addressAt, ascending, type AddressRange } from './address-range.ts';

/** The ipBlocks of policies, alike ones once. */
export class Blocks {
  readonly #blocks: readonly BlockPeer[];

  constructor(policies: readonly NetworkPolicy[]) {
    const blocks = policies
      .flatMap(({ ingress, egress }) => [ingress, egress])
      .flatMap((side) => (side.kind === 'isolates' ? side.rules : []))
      .flatMap(({ peers }) => (peers.kind === 'list' ? peers.peers : []))
      .filter((peer) => peer.kind === 'block');
    this.#blocks = [...new Map(blocks.map((block) => [textOf(block), block])).values()];
  }

  /** Which blocks match the address: equal for addresses that no policy tells apart. Cost: all blocks. */
  covering(address: IpAddress): string {
    const indexes = this.#blocks.flatMap(({ cidr, except }, index) =>
      contains(cidr, address) && !except.some((hole) => contains(hole, address)) ? [index] : [],
    );
    return indexes.join();
  }

  /**
   * All addresses of a family, parted where a block or an except begins or ends: ranges by what covers
   * them, ascending. Cost: bounds times blocks.
   */
  partition(family: Family): Map<string, AddressRange[]> {
    const prefixes = this.#blocks.flatMap(({ cidr, except }) => [cidr, ...except]);
    const bounds = prefixes
      .filter((prefix) => prefix.family === family)
      .flatMap((prefix) => [firstOf(prefix), firstOf(prefix) + sizeOf(prefix)]);
    const end = 1n << BigInt(bits(family));
    const starts = [...new Set([0n, ...bounds])].filter((start) => start < end).sort(ascending);
    const parts = new Map<string, AddressRange[]>();
    starts.forEach((first, index) => {
      const range = { first, last: (starts[index + 1] ?? end) - 1n };
      const covering = this.covering(addressAt(first, family));
      const ranges = parts.get(covering);
      if (ranges) ranges.push(range);
      else parts.set(covering, [range]);
    });
    return parts;
  }
}

function firstOf({ words }: Prefix): bigint {
  return words.reduce((number, word) => (number << 32n) | BigInt(word), 0n);
}

function sizeOf({ family, length }: Prefix): bigint {
  return 1n << BigInt(bits(family) - length);
}

function textOf({ cidr, except }: BlockPeer): string {
  return [cidr.text, ...except.map(({ text }) => text)].join(' ');
}
