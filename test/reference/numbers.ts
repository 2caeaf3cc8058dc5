import type { Connection, Verdict } from '../../src/model/verdict.ts';
import { toBytes } from '../../src/net/ip.ts';
import { IP_PROTOCOL } from '../../src/net/port.ts';
import { DENIED, type Decider } from '../../src/table/decider.ts';
import { given } from '../builders/given.ts';

/** The connection's verdict by way of numbers, as the gate asks for it. */
export function decideByNumbers(decider: Decider, { source, destination, transport, port }: Connection): number {
  if (source.family === 4) {
    const [from, to] = [given(source.words[0], 'words'), given(destination.words[0], 'words')];
    return decider.decide4(from, to, IP_PROTOCOL[transport], port);
  }
  const ipProtocol = transport === 'ICMP' ? IP_PROTOCOL.ICMPV6 : IP_PROTOCOL[transport];
  // The addresses lie where they lie in an IPv6 header.
  const bytes = Uint8Array.from([
    ...Array<number>(8).fill(0xff),
    ...toBytes(source.words),
    ...toBytes(destination.words),
  ]);
  return decider.decide6(bytes, 8, 24, ipProtocol, port);
}

/** What the number path must answer for this verdict. */
export function numberOf({ egress, ingress }: Verdict): number {
  return (egress.kind === 'no-rule' ? DENIED.egress : 0) | (ingress.kind === 'no-rule' ? DENIED.ingress : 0);
}
