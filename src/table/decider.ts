import { IP_PROTOCOL, TRANSPORTS, type Transport } from '../net/port.ts';
import { checkBuffer, HEADER, PLACE, PORT_SET, RECORD, ROW, SHIFT } from './layout.ts';

/** What decide4 and decide6 answer: a bit for each direction that denies; 0 if the connection may pass. */
export const DENIED = { egress: 1, ingress: 2 } as const;

/**
 * Verdicts over a table's buffer: the hot path.
 * Cost: two prefix lookups, a port lookup and six loads for each direction that is isolated, whatever
 * the policies are; nothing is allocated. While a live table changes, each decision is of the table
 * before or after the change: it waits for the end of a commit, which is a few stores.
 * Throws RangeError for a port over 65535 and for bytes that hold no address.
 */
export interface Decider {
  /** @param source, destination IPv4 addresses as unsigned integers. @returns 0 or bits of DENIED. */
  decide4(source: number, destination: number, ipProtocol: number, port: number): number;
  /** @param sourceAt, destinationAt where in `bytes` the 16 bytes of each address begin. @returns 0 or bits of DENIED. */
  decide6(bytes: Uint8Array, sourceAt: number, destinationAt: number, ipProtocol: number, port: number): number;
  /** Whether a live table has outgrown this buffer, which then keeps the state in which it was left. */
  readonly moved: boolean;
}

/** Opens the buffer of a table, also one of another thread or process. Throws TableFormatError if it is none or damaged. */
export function openTable(buffer: SharedArrayBuffer | ArrayBuffer): Decider {
  checkBuffer(buffer);
  return new BufferDecider(buffer);
}

// Copies: the engine folds a constant of this file into its code, but loads one that is imported.
const { column: COLUMN, egressRow: EGRESS_ROW, ingressRow: INGRESS_ROW, node: NODE } = RECORD;
const { nodeAddress: NODE_ADDRESS } = RECORD;
const { sequence: SEQUENCE } = HEADER;
const { ipv4: IPV4, ipv6: IPV6, ports: PORTS } = PLACE;
const { page: PAGE_SHIFT, portPage: PORT_PAGE_SHIFT } = SHIFT;
const { palette: PALETTE, blocks: BLOCKS } = ROW;
const { direct: DIRECT, overflow: OVERFLOW } = PORT_SET;
const { TCP, UDP, SCTP } = IP_PROTOCOL;
const { egress: EGRESS_DENIED, ingress: INGRESS_DENIED } = DENIED;

const BLOCK_SHIFT = SHIFT.page + SHIFT.block;
const BLOCK_MASK = (1 << SHIFT.block) - 1;
const PAGE_MASK = (1 << PAGE_SHIFT) - 1;
const PORT_PAGE_MASK = (1 << PORT_PAGE_SHIFT) - 1;
const TCP_PORTS = portsOf('TCP');
const UDP_PORTS = portsOf('UDP');
const SCTP_PORTS = portsOf('SCTP');
const OTHER_PORTS = portsOf('ICMP');

/** Where a transport's ports begin in the port directory. */
function portsOf(transport: Transport): number {
  return PORTS + (TRANSPORTS.indexOf(transport) << (16 - PORT_PAGE_SHIFT));
}

class BufferDecider implements Decider {
  readonly #words: Int32Array;
  // The same memory: loads by way of two arrays are never taken for one load, see decide4.
  readonly #sequence: Uint32Array;

  constructor(buffer: SharedArrayBuffer | ArrayBuffer) {
    this.#words = new Int32Array(buffer);
    this.#sequence = new Uint32Array(buffer, SEQUENCE * 4, 1);
  }

  get moved(): boolean {
    return this.#words[HEADER.moved] === 1;
  }

  decide4(source: number, destination: number, ipProtocol: number, port: number): number {
    if (port >>> 16 !== 0) throw new RangeError(`no port: ${port}`);
    if ((source ^ destination) === 0) return 0; // a pod may talk to itself, and no one else is isolated
    const words = this.#words;
    for (;;) {
      const before = words[SEQUENCE] ?? 0;
      const from = lookup4(words, source);
      const to = lookup4(words, destination);
      const denied = verdict(words, from, to, portClass(words, ipProtocol, port));
      if ((before & 1) === 0 && this.#sequence[0] === before >>> 0) return denied;
    }
  }

  decide6(bytes: Uint8Array, sourceAt: number, destinationAt: number, ipProtocol: number, port: number): number {
    if (!inside(bytes, sourceAt) || !inside(bytes, destinationAt)) throw new RangeError('address out of its bytes');
    if (port >>> 16 !== 0) throw new RangeError(`no port: ${port}`);
    if (same16(bytes, sourceAt, destinationAt)) return 0;
    const words = this.#words;
    for (;;) {
      const before = load(words, SEQUENCE);
      const denied = verdict(
        words,
        lookup6(words, bytes, sourceAt),
        lookup6(words, bytes, destinationAt),
        portClass(words, ipProtocol, port),
      );
      if ((before & 1) === 0 && this.#sequence[0] === before >>> 0) return denied;
    }
  }
}

/** Both directions. @param source, destination records of address classes. */
function verdict(words: Int32Array, source: number, destination: number, port: number): number {
  let egress = denies(words, words[source + EGRESS_ROW] ?? 0, words[destination + COLUMN] ?? 0, port);
  let ingress = denies(words, words[destination + INGRESS_ROW] ?? 0, words[source + COLUMN] ?? 0, port);
  // Asked of all, though it matters to the denied only: a branch that goes one way costs nothing.
  if (((words[source + NODE_ADDRESS] ?? 0) | (words[destination + NODE_ADDRESS] ?? 0)) !== 0) {
    if (isNodeOf(words, destination, source)) egress = 0;
    if (isNodeOf(words, source, destination)) ingress = 0;
  }
  return egress * EGRESS_DENIED + ingress * INGRESS_DENIED;
}

/** Whether the row denies the port class from or to the column: 1 or 0. */
function denies(words: Int32Array, row: number, column: number, port: number): number {
  if (row === 0) return 0;
  const palette = words[row + PALETTE] ?? 0;
  const block = words[row + BLOCKS + (column >>> BLOCK_SHIFT)] ?? 0;
  const page = words[block + ((column >>> PAGE_SHIFT) & BLOCK_MASK)] ?? 0;
  const portSet =
    palette === 0
      ? (words[page + (column & PAGE_MASK)] ?? 0)
      : (words[palette + (((words[page + ((column & PAGE_MASK) >>> 2)] ?? 0) >>> ((column & 3) << 3)) & 255)] ?? 0);
  const bits = port < DIRECT ? (words[portSet + (port >>> 5)] ?? 0) : bitsBeyond(words, portSet, port);
  return ((bits >>> (port & 31)) & 1) ^ 1;
}

/** The word that has the bit of a class for which the port set's own words have none. */
function bitsBeyond(words: Int32Array, portSet: number, port: number): number {
  const list = load(words, portSet + OVERFLOW);
  if (list <= 0) return list;
  const index = (port - DIRECT) >>> 10;
  if (index >= load(words, list)) return 0;
  const chunk = load(words, list + 1 + index);
  return chunk === 0 ? 0 : load(words, chunk + ((port >>> 5) & 31));
}

/** Whether the peer's address is one of the subject's node. Only asked where the row denies. */
function isNodeOf(words: Int32Array, peer: number, subject: number): boolean {
  const address = load(words, peer + NODE_ADDRESS);
  if (address === 0) return false;
  let at = load(words, subject + NODE);
  if (at === 0) return false;
  for (let id = load(words, at); id !== 0; id = load(words, ++at)) if (id === address) return true;
  return false;
}

function portClass(words: Int32Array, ipProtocol: number, port: number): number {
  const page = words[transportAt(ipProtocol) + (port >>> PORT_PAGE_SHIFT)] ?? 0;
  return words[page + (port & PORT_PAGE_MASK)] ?? 0;
}

function transportAt(ipProtocol: number): number {
  if (ipProtocol === TCP) return TCP_PORTS;
  if (ipProtocol === UDP) return UDP_PORTS;
  return ipProtocol === SCTP ? SCTP_PORTS : OTHER_PORTS;
}

/** The record of the address. Cost: at most 5 loads. Written out, as the engine does not unroll a loop. */
function lookup4(words: Int32Array, address: number): number {
  let entry = words[IPV4 + (address >>> 16)] ?? 0;
  if (entry < 0) return ~entry;
  entry = words[entry + ((address >>> 12) & 15)] ?? 0;
  if (entry < 0) return ~entry;
  entry = words[entry + ((address >>> 8) & 15)] ?? 0;
  if (entry < 0) return ~entry;
  entry = words[entry + ((address >>> 4) & 15)] ?? 0;
  if (entry < 0) return ~entry;
  return ~(words[entry + (address & 15)] ?? 0);
}

/** The record of the 16 bytes. Cost: at most 29 loads. */
function lookup6(words: Int32Array, bytes: Uint8Array, at: number): number {
  let entry = load(words, IPV6 + ((byteAt(bytes, at) << 8) | byteAt(bytes, at + 1)));
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

/** The word at an offset; past the end, where only a decision leads that is made again, 0. */
function load(words: Int32Array, at: number): number {
  return words[at] ?? 0;
}
