declare const brand: unique symbol;

/** A port number, 1-65535. Made by parsePort alone. */
export type Port = number & { readonly [brand]: 'Port' };

/** The protocols that a policy can name. They never stand in for each other. */
export type Protocol = 'TCP' | 'UDP' | 'SCTP';

/**
 * What a connection can be: a protocol that policies can name, or anything else (ICMP and the
 * rest), which only a rule without ports allows. Source: SEMANTICS 22, as iptables-based CNIs do.
 */
export type Transport = Protocol | 'ICMP';

/** All protocols of policies, in the order of the API's documentation. */
export const PROTOCOLS: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];

/** All transports. */
export const TRANSPORTS: readonly Transport[] = [...PROTOCOLS, 'ICMP'];

/** IP protocol numbers. Source: IANA Assigned Internet Protocol Numbers. */
export const IP_PROTOCOL = { ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58, SCTP: 132 } as const;

/** The transport that an IP protocol number stands for; 'ICMP' for any that policies cannot name. */
export function transportOf(ipProtocol: number): Transport {
  switch (ipProtocol) {
    case IP_PROTOCOL.TCP:
      return 'TCP';
    case IP_PROTOCOL.UDP:
      return 'UDP';
    case IP_PROTOCOL.SCTP:
      return 'SCTP';
    default:
      return 'ICMP';
  }
}

/** The number as a port, in text without leading zeros. @returns undefined unless it is an integer from 1 to 65535. */
export function parsePort(value: number | string): Port | undefined {
  if (typeof value === 'string' && !/^[1-9][0-9]{0,4}$/.test(value)) return undefined;
  const port = Number(value);
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? (port as Port) : undefined;
}

/** The protocol of that name, in any case. @returns undefined if policies know no such protocol. */
export function parseProtocol(text: string): Protocol | undefined {
  return PROTOCOLS.find((protocol) => protocol === text.toUpperCase());
}
