import { parseIp, type IpAddress } from '../../src/net/ip.ts';
import { parsePort, parseProtocol, type Port, type Protocol } from '../../src/net/port.ts';
import { parsePrefix, type Prefix } from '../../src/net/prefix.ts';
import { given } from './given.ts';

/** The address written so; throws if it is none. */
export function ip(text: string): IpAddress {
  return given(parseIp(text), `address ${text}`);
}

/** The prefix written so; throws if it is none. */
export function prefix(text: string): Prefix {
  return given(parsePrefix(text), `prefix ${text}`);
}

/** The port of that number; throws if it is none. */
export function portNumber(value: number | string): Port {
  return given(parsePort(value), `port ${value}`);
}

/** The protocol of that name; throws if policies know no such protocol. */
export function protocol(text: string): Protocol {
  return given(parseProtocol(text), `protocol ${text}`);
}
