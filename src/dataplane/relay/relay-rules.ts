import type { Family, IpAddress } from '../../net/ip.ts';
import { replaceTable } from '../firewall.ts';
import { tcpTimeouts } from '../tcp-timeouts.ts';
import { RELAY_ADDRESS, RELAY_MARK } from './relay-marks.ts';

// The chains that take clients' SYNs to the relay, and datagrams to the gate, one by one.
const CHAIN = { output: 'NETPOL-LAB-RELAY', postrouting: 'NETPOL-LAB-UDP' } as const;
/** The rules of the table mangle that lead to them. */
export const RELAY_ENTRY = {
  output: ['OUTPUT', '-p', 'tcp', '--syn', '-j', CHAIN.output],
  postrouting: ['POSTROUTING', '-p', 'udp', '-j', CHAIN.postrouting],
} as const;
const TABLE = 'netpol_lab_relay';
const FAMILIES = [4, 6] as const;
const KEYWORD = { 4: 'ip', 6: 'ip6' } as const;

const DIALLED = `meta mark and ${hex(RELAY_MARK.dialMask)} == ${hex(RELAY_MARK.dial)}`;

// How long conntrack remembers a connection that is over. With its own two minutes, two entries a connection
// fill its table at a thousand connections a second; with less than a retransmission takes, late packets are lost.
const OVER_SECONDS = 5;

/**
 * Input of iptables-restore (4) or ip6tables-restore (6), with --noflush: the way to the relay, before Services are
 * translated, and of datagrams to the gate, behind that. A flow's first datagram is judged by the pod's gate rules.
 * @param joined which of the kernel's chains lead to these already.
 */
export function relayQueueRules(
  queues: { readonly relay: number; readonly gate: number },
  joined: { readonly output: boolean; readonly postrouting: boolean },
): string {
  const { output, postrouting } = CHAIN;
  const enter = ([hook, ...rule]: readonly [string, ...string[]]): string => `-I ${hook} 1 ${rule.join(' ')}`;
  return [
    '*mangle',
    `:${output} - [0:0]`, // made, or emptied
    `:${postrouting} - [0:0]`,
    ...(joined.output ? [] : [enter(RELAY_ENTRY.output)]),
    ...(joined.postrouting ? [] : [enter(RELAY_ENTRY.postrouting)]),
    `-A ${output} -o lo -j RETURN`,
    `-A ${output} -m mark --mark ${hex(RELAY_MARK.dial)}/${hex(RELAY_MARK.dialMask)} -j RETURN`,
    `-A ${output} -j NFQUEUE --queue-num ${queues.relay}`, // no relay, no passing
    `-A ${postrouting} -o lo -j RETURN`,
    `-A ${postrouting} -m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -j NFQUEUE --queue-num ${queues.gate}`,
    'COMMIT',
    '',
  ].join('\n');
}

/**
 * Input of `nft -f`: a SYN that was let go comes to the relay's listener, one that was refused is answered, and
 * what the relay dials leaves with the pod's address and the client's port.
 */
export function relayRules(
  listeners: readonly { readonly family: Family; readonly port: number }[],
  addresses: readonly IpAddress[],
): string {
  const refused: readonly (readonly [number, string])[] = [
    [RELAY_MARK.reset, 'tcp reset'],
    [RELAY_MARK.hostUnreachable, 'icmpx host-unreachable'],
    [RELAY_MARK.noRoute, 'icmpx no-route'],
    [RELAY_MARK.prohibited, 'icmpx admin-prohibited'],
  ];
  const over = tcpTimeouts('over', { time_wait: OVER_SECONDS, close: OVER_SECONDS });
  return replaceTable(TABLE, [
    ...over.objects,
    // Chains of the type nat, which the kernel runs for first packets alone: behind the verdict at -150, before Services.
    'chain divert {',
    'type nat hook output priority -110;',
    ...refused.map(([mark, how]) => `meta mark ${hex(mark)} meta l4proto tcp reject with ${how}`),
    `meta mark ${hex(RELAY_MARK.release)} jump forget_soon`,
    `${DIALLED} jump forget_soon`,
    ...listeners.map(
      ({ family, port }) =>
        `meta mark ${hex(RELAY_MARK.release)} meta nfproto ipv${family} meta l4proto tcp redirect to :${port}`,
    ),
    '}',
    'chain forget_soon {',
    ...over.rules,
    '}',
    'chain source {',
    'type nat hook postrouting priority 90;',
    ...addresses.map(
      ({ family, text }) => `${KEYWORD[family]} saddr ${RELAY_ADDRESS[family]} snat ${KEYWORD[family]} to ${text}`,
    ),
    '}',
  ]);
}

/** An iptables rule that lets a SYN pass on to the relay's listener: its route is the loopback, though it was made for another. */
export function releasedRule(chain: string, family: Family): string {
  const loopback = family === 4 ? '127.0.0.1' : '::1';
  return `-A ${chain} -d ${loopback} -m mark --mark ${hex(RELAY_MARK.release)} -j RETURN`;
}

/** An nft rule for a chain that marks what conntrack is to cut: the relay itself cuts what it carries. */
export const RELAYED_RETURN = `meta mark and ${hex(RELAY_MARK.anyMask)} == ${hex(RELAY_MARK.dial)} return`;

/** nft rules for a chain that only lets the pod's own addresses out: the relay's are used by the relay alone. */
export const RELAY_SOURCE_RULES: readonly string[] = FAMILIES.flatMap((family) => {
  const source = `${KEYWORD[family]} saddr ${RELAY_ADDRESS[family]}`;
  // A reset for a socket that is gone carries no mark, and opens nothing.
  return [`${source} ${DIALLED} accept`, `${source} tcp flags & rst == rst accept`];
});

function hex(word: number): string {
  return `0x${(word >>> 0).toString(16)}`;
}
