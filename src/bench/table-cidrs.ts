import { BlockList, SocketAddress } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Cluster } from '../model/cluster.ts';
import { invariant } from '../model/invariant.ts';
import type { Prefix } from '../net/prefix.ts';
import type { IpAddress } from '../net/ip.ts';
import { Arena } from '../table/arena.ts';
import { ENTRY_WORDS, PLACE, STRIDES } from '../table/layout.ts';
import { PrefixTrie } from '../table/prefix-trie.ts';
import { measure, timeOf, type Times } from './timing.ts';

/** Time of asking whether any prefix of the workload's ipBlocks holds an IPv4 address, in nanoseconds. */
export interface CidrTimes {
  readonly prefixes: number;
  readonly trie: Times;
  readonly blockList: Times;
  readonly ipaddr: Times;
  /** Undefined where the package, which nothing else needs, is not installed. */
  readonly netmask: Times | undefined;
  /** The BlockList's time in that of the trie, asked the same questions. */
  readonly timesBlockList: number;
}

/** Whether any of the prefixes holds the address. */
type Matcher = (address: IpAddress) => boolean;

// A library that asks one prefix after the other gets only as many questions as take about this long.
const ROUND_NS = 50e6;
const FEW = 10;

/**
 * Measures the table's trie against node:net's BlockList, ipaddr.js and netmask, all asked with
 * parsed addresses where they take such. Throws if they disagree.
 */
export async function measureCidrs(cluster: Cluster, addresses: readonly IpAddress[]): Promise<CidrTimes> {
  const prefixes = prefixesOf(cluster);
  const trie = trieOf(prefixes);
  const blockList = blockListOf(prefixes, addresses);
  const ipaddrJs = ipaddrOf(prefixes, addresses);
  const netmask = await netmaskOf(prefixes);
  const asked = askedOf(blockList, addresses);
  const linear = [ipaddrJs, ...(netmask ? [netmask] : [])];
  for (const matches of [blockList, ...linear]) {
    const some = matches === blockList ? asked : askedOf(matches, addresses);
    invariant(count(matches, some) === count(trie, some), 'the prefix libraries agree');
  }
  const listTimes = timeOfMatcher(blockList, asked);
  return {
    prefixes: prefixes.length,
    trie: timeOfMatcher(trie, addresses),
    blockList: listTimes,
    ipaddr: timeOfMatcher(ipaddrJs, askedOf(ipaddrJs, addresses)),
    netmask: netmask && timeOfMatcher(netmask, askedOf(netmask, addresses)),
    timesBlockList: listTimes.median / timeOfMatcher(trie, asked).median, // both with the same questions
  };
}

/** As many of the addresses as the library answers in a round. */
function askedOf(matches: Matcher, addresses: readonly IpAddress[]): readonly IpAddress[] {
  const few = addresses.slice(0, FEW);
  count(matches, few);
  const eachNs = timeOf(() => count(matches, few)) / few.length;
  return addresses.slice(0, Math.max(FEW, Math.floor(ROUND_NS / eachNs)));
}

function timeOfMatcher(matches: Matcher, asked: readonly IpAddress[]): Times {
  return measure(() => count(matches, asked), { count: asked.length, rounds: asked.length === FEW ? 3 : 9 });
}

function count(matches: Matcher, addresses: readonly IpAddress[]): number {
  let found = 0;
  for (const address of addresses) if (matches(address)) found += 1;
  return found;
}

function trieOf(prefixes: readonly Prefix[]): Matcher {
  const trie = new PrefixTrie(new Arena(), STRIDES[4], { root: PLACE.ipv4, value: 0 });
  for (const prefix of prefixes) trie.set(prefix, ENTRY_WORDS);
  return ({ words }) => trie.lookup(words) === ENTRY_WORDS;
}

function blockListOf(prefixes: readonly Prefix[], addresses: readonly IpAddress[]): Matcher {
  const list = new BlockList();
  const parse = (text: string): SocketAddress => new SocketAddress({ address: text, family: 'ipv4' });
  for (const { text, length } of prefixes) list.addSubnet(text.slice(0, text.indexOf('/')), length, 'ipv4');
  const parsed = new Map(addresses.map(({ text }) => [text, parse(text)]));
  return ({ text }) => list.check(parsed.get(text) ?? parse(text));
}

function ipaddrOf(prefixes: readonly Prefix[], addresses: readonly IpAddress[]): Matcher {
  const ranges = { inside: prefixes.map(({ text }) => ipaddr.IPv4.parseCIDR(text)) };
  const parsed = new Map(addresses.map(({ text }) => [text, ipaddr.IPv4.parse(text)]));
  return ({ text }) => ipaddr.subnetMatch(parsed.get(text) ?? ipaddr.IPv4.parse(text), ranges, 'outside') === 'inside';
}

/** Undefined if the package is not installed. */
async function netmaskOf(prefixes: readonly Prefix[]): Promise<Matcher | undefined> {
  try {
    const { Netmask } = await import('netmask');
    const blocks = prefixes.map(({ text }) => new Netmask(text));
    return ({ text }) => blocks.some((block) => block.contains(text));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** The distinct IPv4 prefixes of all ipBlocks. */
function prefixesOf({ policies }: Cluster): Prefix[] {
  const found = new Map<string, Prefix>();
  for (const { ingress, egress } of policies) {
    for (const side of [ingress, egress]) {
      for (const { peers } of side.kind === 'isolates' ? side.rules : []) {
        for (const peer of peers.kind === 'list' ? peers.peers : []) {
          if (peer.kind === 'block' && peer.cidr.family === 4) found.set(peer.cidr.text, peer.cidr);
        }
      }
    }
  }
  return [...found.values()];
}
