import type { Family, IpAddress } from '../net/ip.ts';
import { RELAY_SOURCE_RULES, releasedRule } from './relay/relay-rules.ts';
import {
  acceptedRules,
  GUARD_TABLE,
  judgingRules,
  markerRule,
  replaceTable,
  set,
  type GateRuleOptions,
} from './firewall.ts';

/** The chain that sends what enters and leaves the pod to the gate. */
export const POD_CHAIN = 'NETPOL-LAB';

/** Docker's own resolver in each container's loopback: names asked there would pass by the policies. */
const DOCKER_RESOLVER = '127.0.0.11';

/**
 * Input of iptables-restore (4) or ip6tables-restore (6), with --noflush: the way to the gate of one pod, in the pod's own
 * network namespace. It stands in the filter table, behind the translation of Services. Other rules stay.
 * @param joined whether the kernel's chains lead to it already.
 */
export function podGateRules({ family, queue }: GateRuleOptions, joined: boolean): string {
  const chain = POD_CHAIN;
  return [
    '*filter',
    `:${chain} - [0:0]`, // made, or emptied
    ...(joined ? [] : ['INPUT', 'OUTPUT'].map((hook) => `-I ${hook} 1 -j ${chain}`)),
    ...acceptedRules(chain),
    ...(family === 4 ? [markerRule(chain, queue)] : []),
    // A pod and itself: SEMANTICS 18.
    `-A ${chain} -i lo -j RETURN`,
    `-A ${chain} -o lo -j RETURN`,
    releasedRule(chain, family),
    ...(family === 6 ? NEIGHBOURS.map((type) => `-A ${chain} -p ipv6-icmp --icmpv6-type ${type} -j ACCEPT`) : []),
    ...judgingRules(chain, queue),
    'COMMIT',
    '',
  ].join('\n');
}

const NEIGHBOURS = ['neighbour-solicitation', 'neighbour-advertisement'];

/**
 * Input of `nft -f`: what may enter and leave the pod at all, replaced as a whole. What comes from outside is for an
 * address of the pod's, and not from one; what leaves is from one. Without addresses nothing passes but the pod's
 * loopback and IPv6 neighbour discovery.
 */
export function podGuardRules(addresses: readonly IpAddress[]): string {
  const own = (family: Family): string[] =>
    addresses.filter((address) => address.family === family).map(({ text }) => text);
  const neighbours = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept';
  // An open pod looks at first packets only: the others have the addresses of theirs.
  const [priority, known] = addresses.length === 0 ? ['raw', []] : ['-160', ['ct state established accept']];
  return replaceTable(GUARD_TABLE, [
    set('own4', 'ipv4_addr', own(4)),
    set('own6', 'ipv6_addr', own(6)),
    'chain incoming {',
    `type filter hook prerouting priority ${priority}; policy drop;`,
    ...known,
    'iifname "lo" accept',
    neighbours,
    'ip saddr @own4 drop',
    'ip6 saddr @own6 drop',
    'ip daddr @own4 accept',
    'ip6 daddr @own6 accept',
    '}',
    'chain outgoing {',
    `type filter hook output priority ${priority}; policy drop;`,
    ...known,
    `ip daddr ${DOCKER_RESOLVER} drop`,
    'oifname "lo" accept',
    neighbours,
    'ip saddr @own4 accept',
    'ip6 saddr @own6 accept',
    ...(addresses.length === 0 ? [] : RELAY_SOURCE_RULES),
    '}',
    'chain passing {',
    'type filter hook forward priority raw; policy drop;',
    '}',
  ]);
}
