import { checkBuffer, ENTRY, HEADER, PLACE, PORT_SET, RECORD, ROW, SHIFT, STRIDES } from './layout.ts';

/** What decide4 and decide6 answer: a bit for each direction that denies; 0 if the connection may pass. */
export const DENIED = { egress: 1, ingress: 2 } as const;

/**
 * Verdicts over a table's buffer: the hot path.
 * Cost: two prefix lookups, a port lookup and, for each direction, five loads, or seven where the table
 * is not flat; whatever the policies are, and for IPv4 without a branch that depends on the addresses.
 * Nothing is allocated. While a live table changes, each decision is of the table
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
const { column: COLUMN, egressRow: EGRESS_ROW, ingressRow: INGRESS_ROW, hosted: HOSTED } = RECORD;
const { sequence: SEQUENCE, flat: FLAT } = HEADER;
const { ipv4: IPV4, ipv6: IPV6, protocols: PROTOCOLS } = PLACE;
const { palette: PALETTE, blocks: BLOCKS } = ROW;
const { direct: DIRECT, overflow: OVERFLOW } = PORT_SET;
const { egress: EGRESS_DENIED, ingress: INGRESS_DENIED } = DENIED;
const ENTRY_MASK = ENTRY.mask;
const ENTRY_SHIFT = ENTRY.shift;
const OFFSET = (~ENTRY_MASK >>> ENTRY_SHIFT) | 0;
const AFTER_FIRST = STRIDES[4][2] + STRIDES[4][3];
const AFTER_SECOND = STRIDES[4][3];
const NUMBER = 0x7fffffff; // of a column, without the sign that marks a node's address
const BLOCK_SHIFT = SHIFT.page + SHIFT.block;
const BLOCK_MASK = (1 << SHIFT.block) - 1;
const PAGE_SHIFT = SHIFT.page;
const PAGE_MASK = (1 << PAGE_SHIFT) - 1;
const PORT_PAGE_SHIFT = SHIFT.portPage;
const PORT_PAGE_MASK = (1 << PORT_PAGE_SHIFT) - 1;

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
    if (port >>> 16 !== 0) refusePort(port);
    if ((source ^ destination) === 0) return 0; // a pod may talk to itself, and no one else is isolated
    const words = this.#words;
    for (;;) {
      const before = words[SEQUENCE] ?? 0;
      let denied = verdict(words, lookup4(words, source), lookup4(words, destination), ipProtocol, port);
      if (denied < 0) denied = nearNode4(words, source, destination, ipProtocol, port);
      // An odd number, that of no state, differs from its even part as well.
      if (this.#sequence[0] === (before & ~1) >>> 0) return denied;
    }
  }

  decide6(bytes: Uint8Array, sourceAt: number, destinationAt: number, ipProtocol: number, port: number): number {
    if (!inside(bytes, sourceAt) || !inside(bytes, destinationAt)) throw new RangeError('address out of its bytes');
    if (port >>> 16 !== 0) refusePort(port);
    if (same16(bytes, sourceAt, destinationAt)) return 0;
    const words = this.#words;
    for (;;) {
      const before = load(words, SEQUENCE);
      const from = lookup6(words, bytes, sourceAt);
      const to = lookup6(words, bytes, destinationAt);
      let denied = verdict(words, from, to, ipProtocol, port);
      if (denied < 0) {
        denied = verdictByRows(words, from, to, portClass(words, ipProtocol, port));
        if (hosts6(words, to, bytes, sourceAt)) denied &= ~EGRESS_DENIED;
        if (hosts6(words, from, bytes, destinationAt)) denied &= ~INGRESS_DENIED;
      }
      if (this.#sequence[0] === (before & ~1) >>> 0) return denied;
    }
  }
}

/** Both directions; negative if an address is a node's, which takes a closer look. @param source, destination records. */
function verdict(words: Int32Array, source: number, destination: number, ipProtocol: number, port: number): number {
  const from = words[(source + COLUMN) | 0] ?? 0;
  const to = words[(destination + COLUMN) | 0] ?? 0;
  if ((from | to) < 0) return -1;
  const ports = portClass(words, ipProtocol, port);
  const egress = denies(words, words[(source + EGRESS_ROW) | 0] ?? 0, to, ports);
  return egress | (denies(words, words[(destination + INGRESS_ROW) | 0] ?? 0, from, ports) << 1);
}

/** Both directions where an address is a node's: a node and its pods are free to talk to one another. */
function nearNode4(words: Int32Array, source: number, destination: number, ipProtocol: number, port: number): number {
  const from = lookup4(words, source);
  const to = lookup4(words, destination);
  let denied = verdictByRows(words, from, to, portClass(words, ipProtocol, port));
  if (hosts4(words, to, source)) denied &= ~EGRESS_DENIED;
  if (hosts4(words, from, destination)) denied &= ~INGRESS_DENIED;
  return denied;
}

/** Both directions, without regard to nodes. */
function verdictByRows(words: Int32Array, source: number, destination: number, ports: number): number {
  const egress = denies(words, load(words, source + EGRESS_ROW), load(words, destination + COLUMN) & NUMBER, ports);
  return (
    egress | (denies(words, load(words, destination + INGRESS_ROW), load(words, source + COLUMN) & NUMBER, ports) << 1)
  );
}

/** Whether the row denies the port class from or to the column: 1 or 0. */
function denies(words: Int32Array, row: number, column: number, port: number): number {
  const portSet =
    words[FLAT] === 1
      ? (words[((words[(row + (column >>> PAGE_SHIFT)) | 0] ?? 0) + (column & PAGE_MASK)) | 0] ?? 0)
      : portSetByBlock(words, row, column);
  const bits = port < DIRECT ? (words[(portSet + (port >>> 5)) | 0] ?? 0) : bitsBeyond(words, portSet, port);
  return ((bits >>> (port & 31)) & 1) ^ 1;
}

/** What a row that is not flat allows from or to the column. */
function portSetByBlock(words: Int32Array, row: number, column: number): number {
  const palette = words[(row + PALETTE) | 0] ?? 0;
  const block = words[(row + BLOCKS + (column >>> BLOCK_SHIFT)) | 0] ?? 0;
  const page = words[(block + ((column >>> PAGE_SHIFT) & BLOCK_MASK)) | 0] ?? 0;
  if (palette === 0) return load(words, page + (column & PAGE_MASK));
  const places = words[(page + ((column & PAGE_MASK) >>> 2)) | 0] ?? 0;
  return words[(palette + ((places >>> ((column & 3) << 3)) & 255)) | 0] ?? 0;
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

/** Whether the record is that of a node which hosts this IPv4 address. Cost: the pods of the node. */
function hosts4(words: Int32Array, record: number, address: number): boolean {
  const list = hostedBy(words, record);
  const end = list + 1 + hostedIn(words, list);
  for (let at = list + 1; at < end; at++) if (words[at] === (address | 0)) return true;
  return false;
}

/** Whether the record is that of a node which hosts these 16 bytes. Cost: the pods of the node. */
function hosts6(words: Int32Array, record: number, bytes: Uint8Array, at: number): boolean {
  const list = hostedBy(words, record);
  const count = hostedIn(words, list);
  for (let index = 0; index < count; index++) {
    let word = 0;
    while (word < 4 && load(words, list + 1 + 4 * index + word) === wordAt(bytes, at + 4 * word)) word++;
    if (word === 4) return true;
  }
  return false;
}

/** The list of a node; 0 if the record is no node's. */
function hostedBy(words: Int32Array, record: number): number {
  return load(words, record + COLUMN) < 0 ? load(words, record + HOSTED) : 0;
}

/** Length of a node's list; no more than the table has words, where a decision has strayed that is made again. */
function hostedIn(words: Int32Array, list: number): number {
  return list === 0 ? 0 : Math.min(load(words, list), words.length);
}

function portClass(words: Int32Array, ipProtocol: number, port: number): number {
  const pages = words[PROTOCOLS + (ipProtocol & 255)] ?? 0;
  const page = words[(pages + (port >>> PORT_PAGE_SHIFT)) | 0] ?? 0;
  return words[(page + (port & PORT_PAGE_MASK)) | 0] ?? 0;
}

/** The record of the address. Cost: 4 loads. */
function lookup4(words: Int32Array, address: number): number {
  let entry = words[IPV4 + (address >>> 16)] ?? 0;
  entry = step4(words, entry, address >>> AFTER_FIRST);
  entry = step4(words, entry, address >>> AFTER_SECOND);
  entry = step4(words, entry, address);
  return (entry >>> ENTRY_SHIFT) & OFFSET;
}

/** From an entry to the next by the last of these bits: as many of them as it has entries for, none if it is a record's. */
function step4(words: Int32Array, entry: number, bits: number): number {
  return words[(((entry >>> ENTRY_SHIFT) & OFFSET) + (bits & entry & ENTRY_MASK)) | 0] ?? 0;
}

/** The record of the 16 bytes. Cost: at most 29 loads. */
function lookup6(words: Int32Array, bytes: Uint8Array, at: number): number {
  let entry = load(words, IPV6 + ((byteAt(bytes, at) << 8) | byteAt(bytes, at + 1)));
  for (let next = at + 2; (entry & ENTRY_MASK) !== 0 && next < at + 16; next++) {
    const byte = byteAt(bytes, next);
    entry = load(words, ((entry >>> ENTRY_SHIFT) & OFFSET) + (byte >>> 4));
    if ((entry & ENTRY_MASK) !== 0) entry = load(words, ((entry >>> ENTRY_SHIFT) & OFFSET) + (byte & 15));
  }
  return (entry >>> ENTRY_SHIFT) & OFFSET;
}

function refusePort(port: number): never {
  throw new RangeError(`no port: ${port}`);
}

function inside(bytes: Uint8Array, at: number): boolean {
  return at >= 0 && at + 16 <= bytes.length;
}

function same16(bytes: Uint8Array, one: number, other: number): boolean {
  for (let index = 0; index < 16; index++) if (bytes[one + index] !== bytes[other + index]) return false;
  return true;
}

/** Four bytes as a signed word in network order. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (byteAt(bytes, at) << 24) | (byteAt(bytes, at + 1) << 16) | (byteAt(bytes, at + 2) << 8) | byteAt(bytes, at + 3)
  );
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

/** The word at an offset; past the end, where only a decision leads that is made again, 0. */
function load(words: Int32Array, at: number): number {
  return words[at] ?? 0;
}
