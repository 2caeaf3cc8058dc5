import { describe, expect, test } from 'vitest';
import { emptyHeader, readPacket } from '../../src/net/packet.ts';

const SOURCE4 = [10, 0, 0, 1];
const DESTINATION4 = [192, 168, 0, 2];
const SOURCE6 = [0xfd, ...new Array<number>(14).fill(0), 1];
const DESTINATION6 = [0xfd, ...new Array<number>(14).fill(0), 2];
/** Ports 1000 and 80, then four bytes. */
const TRANSPORT = [0x03, 0xe8, 0, 80, 1, 2, 3, 4];

interface Ipv4 {
  readonly protocol?: number;
  readonly options?: readonly number[];
  readonly fragment?: number;
  readonly totalLength?: number;
  readonly versionAndLength?: number;
  readonly body?: readonly number[];
}

function ipv4({ protocol = 6, options = [], fragment = 0, body = TRANSPORT, ...given }: Ipv4): number[] {
  const headerLength = 20 + options.length;
  const totalLength = given.totalLength ?? headerLength + body.length;
  const first = given.versionAndLength ?? 0x40 | (headerLength / 4);
  const lengths = [totalLength >>> 8, totalLength & 255, 0, 0, fragment >>> 8, fragment & 255];
  return [first, 0, ...lengths, 64, protocol, 0, 0, ...SOURCE4, ...DESTINATION4, ...options, ...body];
}

interface Ipv6 {
  readonly next?: number;
  readonly body?: readonly number[];
  readonly payloadLength?: number;
}

function ipv6({ next = 6, body = TRANSPORT, payloadLength = body.length }: Ipv6): number[] {
  return [0x60, 0, 0, 0, payloadLength >>> 8, payloadLength & 255, next, 64, ...SOURCE6, ...DESTINATION6, ...body];
}

/** An extension header of 8 bytes: the kind of what follows, extra units of length, two more bytes. */
const extension = (next: number, length = 0, third = 0, fourth = 0): number[] => [
  next,
  length,
  third,
  fourth,
  0,
  0,
  0,
  0,
];

function read(packet: readonly number[], captured = packet.length) {
  // Not at the start, and followed by bytes that are not the packet's.
  const bytes = Uint8Array.from([0xff, 0xff, 0xff, ...packet, ...new Array<number>(64).fill(0x11)]);
  const header = emptyHeader();
  return readPacket(bytes, 3, 3 + captured, header) ? header : undefined;
}

describe('packets that can be judged', () => {
  test.each([
    { name: 'TCP over IPv4', packet: ipv4({}), ipProtocol: 6, ports: [1000, 80] },
    { name: 'UDP over IPv4', packet: ipv4({ protocol: 17 }), ipProtocol: 17, ports: [1000, 80] },
    { name: 'SCTP over IPv4', packet: ipv4({ protocol: 132 }), ipProtocol: 132, ports: [1000, 80] },
    { name: 'ICMP has no ports', packet: ipv4({ protocol: 1 }), ipProtocol: 1, ports: [0, 0] },
    {
      name: 'an unknown protocol has no ports',
      packet: ipv4({ protocol: 200, body: [] }),
      ipProtocol: 200,
      ports: [0, 0],
    },
    { name: 'options before the ports', packet: ipv4({ options: [1, 1, 1, 0] }), ipProtocol: 6, ports: [1000, 80] },
    { name: 'do not fragment', packet: ipv4({ fragment: 0x4000 }), ipProtocol: 6, ports: [1000, 80] },
    { name: 'longer than what was captured', packet: ipv4({ totalLength: 1500 }), ipProtocol: 6, ports: [1000, 80] },
    { name: 'TCP over IPv6', packet: ipv6({}), ipProtocol: 6, ports: [1000, 80] },
    { name: 'ICMPv6', packet: ipv6({ next: 58 }), ipProtocol: 58, ports: [0, 0] },
    { name: 'nothing behind IPv6', packet: ipv6({ next: 59, body: [] }), ipProtocol: 59, ports: [0, 0] },
    ...[0, 60, 135, 139, 140].map((next) => ({
      name: `behind extension header ${next}`,
      packet: ipv6({ next, body: [...extension(17), ...TRANSPORT] }),
      ipProtocol: 17,
      ports: [1000, 80],
    })),
    {
      name: 'behind a longer one and another',
      packet: ipv6({ next: 0, body: [...extension(60, 1), ...extension(0), ...extension(6), ...TRANSPORT] }),
      ipProtocol: 6,
      ports: [1000, 80],
    },
    {
      name: 'behind an authentication header',
      packet: ipv6({ next: 51, body: [...extension(6, 1), 0, 0, 0, 0, ...TRANSPORT] }),
      ipProtocol: 6,
      ports: [1000, 80],
    },
    {
      name: 'behind a routing header that is used up',
      packet: ipv6({ next: 43, body: [...extension(6, 0, 4, 0), ...TRANSPORT] }),
      ipProtocol: 6,
      ports: [1000, 80],
    },
    {
      name: 'the only fragment of itself',
      packet: ipv6({ next: 44, body: [...extension(6), ...TRANSPORT] }),
      ipProtocol: 6,
      ports: [1000, 80],
    },
  ])('$name', ({ packet, ipProtocol, ports }) => {
    const header = read(packet);
    expect(header).toMatchObject({ ipProtocol, sourcePort: ports[0], destinationPort: ports[1] });
  });

  test('addresses of IPv4 are read as numbers, those of both are located', () => {
    const four = { family: 4, source: 0x0a000001, destination: 0xc0a80002, sourceAt: 15, destinationAt: 19 };
    expect(read(ipv4({}))).toMatchObject({ ...four, transportAt: 23 });
    const six = { family: 6, source: 0, destination: 0, sourceAt: 11, destinationAt: 27 };
    expect(read(ipv6({}))).toMatchObject({ ...six, transportAt: 43 });
  });
});

describe('packets that no verdict can be given on', () => {
  test.each([
    { name: 'nothing', packet: [] },
    { name: 'another version', packet: ipv4({ versionAndLength: 0x55 }) },
    { name: 'an IPv4 header shorter than itself', packet: ipv4({ versionAndLength: 0x44 }) },
    { name: 'an IPv4 header longer than the packet', packet: ipv4({ versionAndLength: 0x4f }) },
    { name: 'a total length within the header', packet: ipv4({ totalLength: 19 }) },
    { name: 'a total length that ends before the ports', packet: ipv4({ totalLength: 22 }) },
    { name: 'a first fragment', packet: ipv4({ fragment: 0x2000 }) },
    { name: 'a later fragment', packet: ipv4({ fragment: 0x0010 }) },
    { name: 'no bytes behind the IPv4 header', packet: ipv4({ body: [] }) },
    { name: 'IPv6 without its payload', packet: ipv6({ payloadLength: 0 }) },
    { name: 'an extension header beyond the end', packet: ipv6({ next: 0, body: [6, 0, 0, 0] }) },
    { name: 'an extension header longer than the packet', packet: ipv6({ next: 0, body: extension(6, 255) }) },
    { name: 'that names itself for ever', packet: ipv6({ next: 0, body: extension(0) }) },
    {
      name: 'a routing header with stops left',
      packet: ipv6({ next: 43, body: [...extension(6, 0, 0, 1), ...TRANSPORT] }),
    },
    { name: 'a first fragment of IPv6', packet: ipv6({ next: 44, body: [...extension(6, 0, 0, 1), ...TRANSPORT] }) },
    { name: 'a later fragment of IPv6', packet: ipv6({ next: 44, body: [...extension(6, 0, 0, 8), ...TRANSPORT] }) },
  ])('$name', ({ packet }) => {
    expect(read(packet)).toBeUndefined();
  });

  test.each([
    { name: 'IPv4', packet: ipv4({}) },
    { name: 'IPv6 with an extension header', packet: ipv6({ next: 0, body: [...extension(6), ...TRANSPORT] }) },
  ])('$name, cut off at any place', ({ packet }) => {
    for (let captured = 0; captured < packet.length; captured++) expect(read(packet, captured)).toBeUndefined();
    expect(read(packet)).toBeDefined();
  });

  test('an end past the bytes is refused', () => {
    expect(readPacket(Uint8Array.from(ipv4({})), 0, 29, emptyHeader())).toBe(false);
  });
});
