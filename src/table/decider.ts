import { IP_PROTOCOL, TRANSPORTS, type Transport } from '../net/port.ts';
import { readLayout, RECORD, SHIFT } from './layout.ts';

/** What decide4 and decide6 answer: a bit for each direction that denies; 0 if the connection may pass. */
export const DENIED = { egress: 1, ingress: 2 } as const;

/**
 * Verdicts over a table's buffer: the hot path.
 * Cost: two prefix lookups, a port lookup and five loads for each direction, whatever the policies
 * are; nothing is allocated. Throws RangeError for a port over 65535 and for bytes that hold no address.
 */
export interface Decider {
  /** @param source, destination IPv4 addresses as unsigned integers. @returns 0 or bits of DENIED. */
  decide4(source: number, destination: number, ipProtocol: number, port: number): number;
  /** @param sourceAt, destinationAt where in `bytes` the 16 bytes of each address begin. @returns 0 or bits of DENIED. */
  decide6(bytes: Uint8Array, sourceAt: number, destinationAt: number, ipProtocol: number, port: number): number;
}

/** Opens the buffer of a compiled table, also one of another thread. Throws TableFormatError if it is none or damaged. */
export function openTable(buffer: SharedArrayBuffer): Decider {
  return new BufferDecider(buffer);
}

// Copies: the engine folds a constant of this file into its code, but loads one that is imported.
const {
  column: COLUMN,
  egressRow: EGRESS_ROW,
  ingressRow: INGRESS_ROW,
  nodeAddress: NODE_ADDRESS,
  node: NODE,
} = RECORD;
const { page: PAGE_SHIFT, chunk: CHUNK_SHIFT, portPage: PORT_PAGE_SHIFT } = SHIFT;
const { TCP, UDP, SCTP } = IP_PROTOCOL;
const { egress: EGRESS_DENIED, ingress: INGRESS_DENIED } = DENIED;

const PAGE_MASK = (1 << PAGE_SHIFT) - 1;
const CHUNK_MASK = (1 << (CHUNK_SHIFT - 5)) - 1; // of words of 32 classes
const PORT_PAGE_MASK = (1 << PORT_PAGE_SHIFT) - 1;
const TCP_PORTS = portsOf('TCP');
const UDP_PORTS = portsOf('UDP');
const SCTP_PORTS = portsOf('SCTP');
const OTHER_PORTS = portsOf('ICMP');

/** Where a transport's ports begin in the port directory. */
function portsOf(transport: Transport): number {
  return TRANSPORTS.indexOf(transport) << (16 - PORT_PAGE_SHIFT);
}

class BufferDecider implements Decider {
  readonly #words: Int32Array;
  readonly #ipv4: number;
  readonly #ipv6: number;
  readonly #portDirectory: number;

  constructor(buffer: SharedArrayBuffer) {
    const layout = readLayout(buffer);
    this.#words = new Int32Array(buffer);
    this.#ipv4 = layout.ipv4.offset;
    this.#ipv6 = layout.ipv6.offset;
    this.#portDirectory = layout.portDirectory.offset;
  }

  decide4(source: number, destination: number, ipProtocol: number, port: number): number {
    if ((source ^ destination) === 0) return 0; // a pod may talk to itself, and no one else is isolated
    const words = this.#words;
    return verdict(
      words,
      lookup4(words, this.#ipv4, source),
      lookup4(words, this.#ipv4, destination),
      portClass(words, this.#portDirectory, ipProtocol, port),
    );
  }

  decide6(bytes: Uint8Array, sourceAt: number, destinationAt: number, ipProtocol: number, port: number): number {
    if (!inside(bytes, sourceAt) || !inside(bytes, destinationAt)) throw new RangeError('address out of its bytes');
    if (same16(bytes, sourceAt, destinationAt)) return 0;
    const words = this.#words;
    return verdict(
      words,
      lookup6(words, this.#ipv6, bytes, sourceAt),
      lookup6(words, this.#ipv6, bytes, destinationAt),
      portClass(words, this.#portDirectory, ipProtocol, port),
    );
  }
}

/** Both directions. @param source, destination records of address classes. */
function verdict(words: Int32Array, source: number, destination: number, port: number): number {
  const egress = holds(words, load(words, source + EGRESS_ROW), load(words, destination + COLUMN), port);
  const ingress = holds(words, load(words, destination + INGRESS_ROW), load(words, source + COLUMN), port);
  if ((egress & ingress) !== 0) return 0;
  let denied = 0;
  if (egress === 0 && !isNodeOf(words, destination, source)) denied |= EGRESS_DENIED;
  if (ingress === 0 && !isNodeOf(words, source, destination)) denied |= INGRESS_DENIED;
  return denied;
}

/** Whether the row allows the port class from or to the column: 1 or 0. */
function holds(words: Int32Array, row: number, column: number, port: number): number {
  const page = load(words, row + (column >>> PAGE_SHIFT));
  const portSet = load(words, page + (column & PAGE_MASK));
  const chunk = load(words, portSet + (port >>> CHUNK_SHIFT));
  return (load(words, chunk + ((port >>> 5) & CHUNK_MASK)) >>> (port & 31)) & 1;
}

/** Whether the peer's address is one of the subject's node. Only asked where the row denies. */
function isNodeOf(words: Int32Array, peer: number, subject: number): boolean {
  const address = load(words, peer + NODE_ADDRESS);
  if (address === 0) return false;
  const node = load(words, subject + NODE);
  if (node === 0) return false;
  const end = node + load(words, node);
  for (let at = node + 1; at <= end; at++) if (load(words, at) === address) return true;
  return false;
}

function portClass(words: Int32Array, directory: number, ipProtocol: number, port: number): number {
  if (port >>> 16 !== 0) throw new RangeError(`no port: ${port}`);
  const page = load(words, directory + transportAt(ipProtocol) + (port >>> PORT_PAGE_SHIFT));
  return load(words, page + (port & PORT_PAGE_MASK));
}

function transportAt(ipProtocol: number): number {
  if (ipProtocol === TCP) return TCP_PORTS;
  if (ipProtocol === UDP) return UDP_PORTS;
  return ipProtocol === SCTP ? SCTP_PORTS : OTHER_PORTS;
}

/** The record of the address. Cost: at most 5 loads. */
function lookup4(words: Int32Array, root: number, address: number): number {
  let entry = load(words, root + (address >>> 16));
  for (let shift = 12; entry >= 0 && shift >= 0; shift -= 4) {
    entry = load(words, entry + ((address >>> shift) & 15));
  }
  return ~entry;
}

/** The record of the 16 bytes. Cost: at most 29 loads. */
function lookup6(words: Int32Array, root: number, bytes: Uint8Array, at: number): number {
  let entry = load(words, root + ((byteAt(bytes, at) << 8) | byteAt(bytes, at + 1)));
  for (let next = at + 2; entry >= 0 && next < at + 16; next++) {
    const byte = byteAt(bytes, next);
    entry = load(words, entry + (byte >>> 4));
    if (entry >= 0) entry = load(words, entry + (byte & 15));
  }
  return ~entry;
}

function inside(bytes: Uint8Array, at: number): boolean {
  return at >= 0 && at + 16 <= bytes.length;
}

function same16(bytes: Uint8Array, one: number, other: number): boolean {
  for (let index = 0; index < 16; index++) if (bytes[one + index] !== bytes[other + index]) return false;
  return true;
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

/** The word at an offset. Past the end, which a sealed buffer never leads to, 0: no bit of a port set. */
function load(words: Int32Array, at: number): number {
  return words[at] ?? 0;
}
