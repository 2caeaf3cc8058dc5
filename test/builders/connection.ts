import type { Pod } from '../../src/model/pod.ts';
import type { Connection } from '../../src/model/verdict.ts';
import type { IpAddress } from '../../src/net/ip.ts';
import { ip, portNumber, protocol } from './address.ts';
import { given } from './given.ts';

/** An address, or a pod by its first address. */
export type EndNotation = string | IpAddress | Pod;

/** A connection to a port `80`, `53/UDP` (TCP unless given), or `ICMP`. */
export function connection(from: EndNotation, to: EndNotation, port = '80'): Connection {
  const ends = { source: addressOf(from), destination: addressOf(to) };
  if (port === 'ICMP') return { ...ends, transport: 'ICMP', port: 0 };
  const [number = '', protocolName = 'TCP'] = port.split('/');
  return { ...ends, transport: protocol(protocolName), port: portNumber(number) };
}

function addressOf(end: EndNotation): IpAddress {
  if (typeof end === 'string') return ip(end);
  return 'words' in end ? end : given(end.addresses[0], `pod ${end.name} has no address`);
}
