import type { Family } from './ip.ts';
import { IP_PROTOCOL } from './port.ts';

/**
 * What a verdict needs of a packet's headers. One object serves all packets: readPacket fills it.
 * `sourceAt` and `destinationAt` are offsets of the addresses; `source` and `destination` hold them
 * as uint32 for IPv4 and are 0 for IPv6. `transportAt` is where the header behind IP starts.
 * Ports are 0 for protocols without them, ICMP above all.
 */
export interface PacketHeader {
  family: Family;
  ipProtocol: number;
  sourceAt: number;
  destinationAt: number;
  source: number;
  destination: number;
  transportAt: number;
  sourcePort: number;
  destinationPort: number;
}

/** A header to be filled by readPacket. */
export function emptyHeader(): PacketHeader {
  return {
    family: 4,
    ipProtocol: 0,
    sourceAt: 0,
    destinationAt: 0,
    source: 0,
    destination: 0,
    transportAt: 0,
    sourcePort: 0,
    destinationPort: 0,
  };
}

// IPv6 extension headers. Source: IANA IPv6 Extension Header Types.
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;
const MOBILITY = 135;
const HIP = 139;
const SHIM6 = 140;

/**
 * Reads the headers of the IP packet that starts at `at`. `end` is where the captured bytes end;
 * the packet itself may be longer.
 * @returns false for what no verdict can be given on, so that it is dropped: cut off before its
 * ports, lengths that contradict each other, fragments (conntrack puts them together before), IPv6
 * with a routing header that still names another destination. `header` then holds nothing of use.
 * Cost: about 10 ns, no allocation.
 */
export function readPacket(bytes: Uint8Array, at: number, end: number, header: PacketHeader): boolean {
  if (at >= end || end > bytes.length) return false;
  switch (byte(bytes, at) >>> 4) {
    case 4:
      return readIpv4(bytes, at, end, header);
    case 6:
      return readIpv6(bytes, at, end, header);
    default:
      return false;
  }
}

function readIpv4(bytes: Uint8Array, at: number, end: number, header: PacketHeader): boolean {
  if (end - at < 20) return false;
  const headerLength = (byte(bytes, at) & 15) * 4;
  const totalLength = uint16(bytes, at + 2);
  const fragment = uint16(bytes, at + 6) & 0x3fff; // more fragments, or an offset
  if (headerLength < 20 || totalLength < headerLength || fragment !== 0) return false;
  header.family = 4;
  header.ipProtocol = byte(bytes, at + 9);
  header.sourceAt = at + 12;
  header.destinationAt = at + 16;
  header.source = uint32(bytes, at + 12);
  header.destination = uint32(bytes, at + 16);
  return readPorts(bytes, at + headerLength, Math.min(end, at + totalLength), header);
}

function readIpv6(bytes: Uint8Array, at: number, end: number, header: PacketHeader): boolean {
  if (end - at < 40) return false;
  const packetEnd = Math.min(end, at + 40 + uint16(bytes, at + 4));
  let next = byte(bytes, at + 6);
  let nextAt = at + 40;
  for (;;) {
    const length = extensionLength(bytes, next, nextAt, packetEnd);
    if (length < 0) return false;
    if (length === 0) break;
    next = byte(bytes, nextAt);
    nextAt += length;
  }
  header.family = 6;
  header.ipProtocol = next;
  header.sourceAt = at + 8;
  header.destinationAt = at + 24;
  header.source = 0;
  header.destination = 0;
  return readPorts(bytes, nextAt, packetEnd, header);
}

/** Length of the extension header at `at`: 0 if `kind` is none, -1 if the packet must not pass. Source: RFC 8200 §4, RFC 4302. */
function extensionLength(bytes: Uint8Array, kind: number, at: number, end: number): number {
  switch (kind) {
    case HOP_BY_HOP:
    case DESTINATION_OPTIONS:
    case MOBILITY:
    case HIP:
    case SHIM6:
      return end - at < 8 ? -1 : (byte(bytes, at + 1) + 1) * 8;
    case ROUTING:
      return end - at < 8 || byte(bytes, at + 3) !== 0 ? -1 : (byte(bytes, at + 1) + 1) * 8;
    case FRAGMENT:
      return end - at < 8 || (uint16(bytes, at + 2) & 0xfff9) !== 0 ? -1 : 8;
    case AUTHENTICATION:
      return end - at < 8 ? -1 : (byte(bytes, at + 1) + 2) * 4;
    default:
      return 0;
  }
}

function readPorts(bytes: Uint8Array, at: number, end: number, header: PacketHeader): boolean {
  header.transportAt = at;
  header.sourcePort = 0;
  header.destinationPort = 0;
  if (at > end) return false;
  switch (header.ipProtocol) {
    case IP_PROTOCOL.TCP:
    case IP_PROTOCOL.UDP:
    case IP_PROTOCOL.SCTP:
      if (end - at < 8) return false; // ports, and TCP's sequence number or UDP's length
      header.sourcePort = uint16(bytes, at);
      header.destinationPort = uint16(bytes, at + 2);
      return true;
    default:
      return true;
  }
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function uint16(bytes: Uint8Array, at: number): number {
  return (byte(bytes, at) << 8) | byte(bytes, at + 1);
}

function uint32(bytes: Uint8Array, at: number): number {
  return ((uint16(bytes, at) << 16) | uint16(bytes, at + 2)) >>> 0;
}
