import type { Family } from '../../net/ip.ts';

/**
 * Marks of packets inside the pod's namespace. `dial`, with the connection's slot in the low bits: the
 * relay's own sockets. `release`: the client's SYN goes to the relay's listener. The others: it is refused.
 * All are alike under `anyMask`.
 */
export const RELAY_MARK = {
  dial: 0x52000000,
  dialMask: 0xff000000,
  slotMask: 0x00ffffff,
  anyMask: 0xfe000000,
  release: 0x53000000,
  reset: 0x53000001,
  hostUnreachable: 0x53000002,
  noRoute: 0x53000003,
  prohibited: 0x53000004,
} as const;

/**
 * The relay dials from addresses of its own, which are translated to the pod's, so that it can use the
 * client's source port. Nobody has them: the IPv4 dummy address (RFC 7600 §4.8) and one of the IPv6
 * dummy prefix (RFC 9780).
 */
export const RELAY_ADDRESS: Readonly<Record<Family, string>> = { 4: '192.0.0.8', 6: '100:0:0:1::1' };
