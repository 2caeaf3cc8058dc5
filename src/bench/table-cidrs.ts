import { BlockList } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Cluster } from '../model/cluster.ts';
import type { Prefix } from '../net/prefix.ts';
import type { IpAddress } from '../net/ip.ts';
import { Arena } from '../table/arena.ts';
import { PLACE } from '../table/layout.ts';
import { PrefixTrie } from '../table/prefix-trie.ts';
import { measure, type Times } from './timing.ts';

/** Time of asking whether any prefix of the workload's ipBlocks holds an IPv4 address, in nanoseconds. */
export interface CidrTimes {
  readonly prefixes: number;
  readonly trie: Times;
  readonly blockList: Times;
  readonly ipaddr: Times;
  readonly timesBlockList: number;
}

/** Measures the table's trie against node:net's BlockList and ipaddr.js's subnetMatch, all asked with parsed addresses. */
export function measureCidrs(cluster: Cluster, addresses: readonly IpAddress[]): CidrTimes {
  const prefixes = prefixesOf(cluster);
  const trie = new PrefixTrie(new Arena(), PLACE.ipv4, 0);
  const list = new BlockList();
  for (const prefix of prefixes) {
    trie.set(prefix, 1);
    list.addSubnet(prefix.text.slice(0, prefix.text.indexOf('/')), prefix.length, 'ipv4');
  }
  const ranges = { inside: prefixes.map(({ text }) => ipaddr.IPv4.parseCIDR(text)) };
  const count = (run: (address: IpAddress) => boolean, some: readonly IpAddress[]): number => {
    let found = 0;
    for (const address of some) if (run(address)) found += 1;
    return found;
  };
  const parsed = new Map(addresses.map(({ text }) => [text, ipaddr.IPv4.parse(text)]));
  const byTrie = ({ words }: IpAddress): boolean => trie.lookup(words) === 1;
  const byList = ({ text }: IpAddress): boolean => list.check(text, 'ipv4');
  const byIpaddr = ({ text }: IpAddress): boolean =>
    ipaddr.subnetMatch(parsed.get(text) ?? ipaddr.IPv4.parse(text), ranges, 'outside') === 'inside';
  const few = addresses.slice(0, Math.max(10, Math.floor(2_000_000 / prefixes.length)));
  const answers = [byTrie, byList, byIpaddr].map((run) => count(run, few.slice(0, 500)));
  if (new Set(answers).size !== 1) throw new Error(`bug: the prefix libraries disagree: ${answers.join(', ')}`);
  const trieTimes = measure(() => count(byTrie, addresses), { count: addresses.length, rounds: 21 });
  const listTimes = measure(() => count(byList, few), { count: few.length, rounds: 7 });
  const ipaddrTimes = measure(() => count(byIpaddr, few), { count: few.length, rounds: 3 });
  return {
    prefixes: prefixes.length,
    trie: trieTimes,
    blockList: listTimes,
    ipaddr: ipaddrTimes,
    timesBlockList: listTimes.median / trieTimes.median,
  };
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
