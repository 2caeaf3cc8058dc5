import { describe, expect, test } from 'vitest';
import { IP_PROTOCOL, parsePort, parseProtocol, PROTOCOLS, transportOf } from '../../src/net/port.ts';

describe('parsePort', () => {
  test.each([1, 80, 65535, '1', '80', '65535'])('takes %j', (value) => {
    expect(parsePort(value)).toBe(Number(value));
  });

  test.each([
    0,
    -1,
    65536,
    80.5,
    NaN,
    Infinity,
    '',
    '0',
    '-1',
    '65536',
    '123456',
    '80.0',
    '8e1',
    '0x50',
    ' 80',
    '80\n',
    'http',
  ])('refuses %j', (value) => {
    expect(parsePort(value)).toBeUndefined();
  });
});

describe('parseProtocol', () => {
  test.each([
    ['TCP', 'TCP'],
    ['udp', 'UDP'],
    ['Sctp', 'SCTP'],
  ])('takes %s as %s', (text, want) => {
    expect(parseProtocol(text)).toBe(want);
  });

  test.each(['', 'ICMP', 'TCP ', 'TCPUDP', '6'])('refuses %j', (text) => {
    expect(parseProtocol(text)).toBeUndefined();
  });
});

describe('transportOf', () => {
  test.each(PROTOCOLS)('finds %s by its number', (protocol) => {
    expect(transportOf(IP_PROTOCOL[protocol])).toBe(protocol);
  });

  test.each([0, IP_PROTOCOL.ICMP, IP_PROTOCOL.ICMPV6, 47, 255])('counts number %i with ICMP', (number) => {
    expect(transportOf(number)).toBe('ICMP');
  });
});
