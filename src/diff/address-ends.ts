import { isEndpoint } from '../model/pod.ts';
import type { Family, IpAddress } from '../net/ip.ts';
import { addressAt, type AddressRange } from './address-range.ts';
import type { Blocks } from './blocks.ts';
import type { AddressEnd } from './ends.ts';
import type { Change } from './pod-ends.ts';

/** The addresses of a family that are no pod's: those of nodes, one by one, and all others by the blocks that cover them. */
export function addressEnds({ before, after }: Change, blocks: Blocks, family: Family): AddressEnd[] {
  const pods = [...before.pods, ...after.pods];
  const taken = new Set(pods.filter(isEndpoint).flatMap(({ addresses }) => addresses.map(({ text }) => text)));
  const nodes = new Map(
    pods
      .flatMap((pod) => [...pod.nodeAddresses, ...(pod.hostNetwork ? pod.addresses : [])])
      .filter((address) => address.family === family && !taken.has(address.text))
      .map((address) => [address.text, address]),
  );
  const outside = [...blocks.partition(family).values()].flatMap((ranges): AddressEnd[] => {
    const address = firstFree(ranges, family, (text) => taken.has(text) || nodes.has(text));
    return address ? [{ kind: 'outside', address, ranges }] : [];
  });
  const nodeEnds = [...nodes.values()].map((address): AddressEnd => ({ kind: 'node', address }));
  return [...nodeEnds, ...outside];
}

/** The first address of the ranges that is not taken. Cost: at most one step for each that is. */
function firstFree(
  ranges: readonly AddressRange[],
  family: Family,
  isTaken: (text: string) => boolean,
): IpAddress | undefined {
  for (const { first, last } of ranges) {
    for (let number = first; number <= last; number += 1n) {
      const address = addressAt(number, family);
      if (!isTaken(address.text)) return address;
    }
  }
  return undefined;
}
