/**
 * The table's buffer: 32-bit words in the machine's byte order.
 *
 * A header, then what has a fixed place: where the ports of each IP protocol begin in the port
 * directory, the roots of both prefix tries, and that directory.
 * Everything else lies in blocks behind them, reached by offsets of words in the buffer, so that a
 * reader needs no arithmetic but an addition, and no object but the buffer.
 *
 * - Trie entry: 16 times the offset of a node, plus the mask of its next bits (a node has as many
 *   entries as its bits tell apart); or 16 times the offset of a record, whose mask is 0. The first word
 *   of a record is its own entry: whoever has come to a record and goes on stays there, so that a lookup
 *   takes as many steps for any address, and no branch.
 * - Record, for each address class: see RECORD. "Not isolated" is a row as well: it allows everything.
 * - Page: tells, for each of 256 columns, which port set a row allows from or to it.
 * - Row of a flat table, one of at most 4,096 columns: 16 offsets of pages, whose words are offsets of
 *   port sets.
 * - Row of any other: see ROW; for each 4,096 columns it has a block of 16 offsets of pages. These have a
 *   byte a column: a place in the row's palette of offsets of port sets; in a row without a palette, a
 *   word that is the offset.
 * - Port set: a bit for each of the first 1,024 port classes, then OVERFLOW.
 * - Port directory: for each transport and each 256 ports, the offset of 256 port classes.
 * - List of a node: how many addresses its pods have, then these, of the family of the node's address.
 */

/** Words of the header. */
export const HEADER = {
  magic: 0,
  version: 1,
  length: 2,
  checksum: 3,
  kind: 4,
  moved: 5,
  flat: 6,
  sequence: 16,
} as const;

/** What a buffer is: a snapshot never changes; a live one may at any moment, see Arena. */
const KIND = { snapshot: 0, live: 1 } as const;

/** Entries of a trie's root: it takes the first 16 bits of an address. */
export const TRIE_ROOT = 1 << 16;

/** Bits that each step of a lookup takes: few steps for IPv4, small nodes for IPv6. */
export const STRIDES = { 4: [16, 5, 5, 6], 6: [16, ...Array<number>(28).fill(4)] } as const;

/** What nodes and records begin at a multiple of, in words: an entry's lowest 6 bits are its mask. */
export const ENTRY_WORDS = 4;

/** The mask of an entry, and the offset in it. */
export const ENTRY = { mask: 63, shift: 4 } as const;

/** log2 of: columns in a page, pages in a block of a row, ports in a port page. */
export const SHIFT = { page: 8, block: 4, portPage: 8 } as const;

const HEADER_WORDS = 64;
const IP_PROTOCOLS = 256;
const ROOTS = HEADER_WORDS + IP_PROTOCOLS;

/** What has a fixed place. */
export const PLACE = {
  protocols: HEADER_WORDS,
  ipv4: ROOTS,
  ipv6: ROOTS + TRIE_ROOT,
  ports: ROOTS + 2 * TRIE_ROOT, // 4 transports x 256 port pages
  blocks: ROOTS + 2 * TRIE_ROOT + 1024,
} as const;

/**
 * Words of a record of an address class. `self` is its entry, `column` a number, negative if the address
 * is that of a node (the sign bit alone tells), the rows are offsets. That of a node is longer: `hosted`
 * is the offset of its list.
 */
export const RECORD = { self: 0, column: 1, egressRow: 2, ingressRow: 3, hosted: 4, words: 4, nodeWords: 8 } as const;

/** Most blocks of columns of a flat table. */
export const FLAT_BLOCKS = 1;

/** Words of a row that is not flat: the offset of its palette, 0 if it has none; then those of its blocks. */
export const ROW = { palette: 0, blocks: 1 } as const;

/**
 * A port set: `direct` port classes in its own words; then a word that is 0 if it holds no other
 * class, -1 if it holds all others, else the offset of a list of chunks of `direct` classes: its
 * length, then an offset for each, 0 for a chunk without any.
 */
export const PORT_SET = { direct: 1024, overflow: 32, words: 34 } as const;

/** The buffer is no table of this version, or a damaged one. */
export class TableFormatError extends Error {
  override readonly name = 'TableFormatError';
}

/** Most words of a table, 1 GiB: an entry has 28 bits for an offset. */
export const MAX_WORDS = 2 ** 28;

const MAGIC = 0x4e505442; // "NPTB"; reads differently on a machine of the other byte order
const VERSION = 4;

/** Writes the header of a live table. */
export function writeHeader(words: Int32Array): void {
  words[HEADER.magic] = MAGIC;
  words[HEADER.version] = VERSION;
  words[HEADER.length] = words.length;
  words[HEADER.kind] = KIND.live;
  words[HEADER.moved] = 0;
}

/** Turns a copy of a live table into a snapshot: seals it with its checksum. */
export function seal(words: Int32Array): void {
  words[HEADER.length] = words.length;
  words[HEADER.kind] = KIND.snapshot;
  words[HEADER.moved] = 0;
  words[HEADER.sequence] = 0;
  words[HEADER.checksum] = checksum(words);
}

/**
 * Checks that the buffer is a table of this version, and that a snapshot is whole. Throws TableFormatError.
 * Cost: for a snapshot, one pass over it.
 */
export function checkBuffer(buffer: ArrayBufferLike): void {
  if (buffer.byteLength % 4 !== 0 || buffer.byteLength < PLACE.blocks * 4) {
    throw new TableFormatError(`a policy table cannot have ${buffer.byteLength} bytes`);
  }
  const words = new Int32Array(buffer);
  if (words[HEADER.magic] !== MAGIC) throw new TableFormatError('not a policy table');
  if (words[HEADER.version] !== VERSION) {
    throw new TableFormatError(`policy table of format ${words[HEADER.version] ?? 0}; this program reads ${VERSION}`);
  }
  if (words[HEADER.length] !== words.length) {
    throw new TableFormatError(`policy table of ${words[HEADER.length] ?? 0} words in a buffer of ${words.length}`);
  }
  if (words[HEADER.kind] === KIND.live) return;
  if (words[HEADER.checksum] !== checksum(words)) throw new TableFormatError('policy table with a wrong checksum');
}

/** FNV-1a over words, but for the one that holds the checksum itself. */
function checksum(words: Int32Array): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = 0; at < words.length; at++) {
    const word = at === HEADER.checksum ? 0 : (words[at] ?? 0);
    hash = Math.imul(hash ^ word, 0x01000193);
  }
  return hash;
}
