/**
 * The table's buffer: 32-bit words in the machine's byte order.
 *
 * Header: magic, format version, number of words, checksum, then offset and length of each section.
 * Every reference between sections is the offset of a word in the buffer, so that a reader needs
 * no arithmetic but an addition, and no object but the buffer.
 */

/** The sections, in the order in which they lie in the buffer. */
export const SECTIONS = [
  'ipv4', // prefix trie: entries are a node's offset, or ~(a record's offset)
  'ipv6',
  'records', // RECORD.words for each address class
  'nodes', // for each node, how many addresses it has, and their ids
  'rows', // for each row, the page of each 64 columns
  'pages', // 64 columns: the port set of each
  'portSets', // for each port set, the chunk of each 1,024 port classes
  'portChunks', // 1,024 bits: whether the set holds the port class
  'portDirectory', // 4 transports x 256: the page of each 256 ports
  'portPages', // 256 ports: the port class of each
] as const;

/** The name of a section. */
export type SectionName = (typeof SECTIONS)[number];

/** Where a section lies: offset and length in words. */
export interface Section {
  readonly offset: number;
  readonly length: number;
}

/** Where every section lies. */
export type Layout = Readonly<Record<SectionName, Section>>;

/**
 * Words of a record of an address class. `column` is a number, the rows and `node` are offsets.
 * `nodeAddress` is the address's id if it is a node's, `node` the node of the address's pod; else 0.
 */
export const RECORD = { column: 0, egressRow: 1, ingressRow: 2, nodeAddress: 3, node: 4, words: 5 } as const;

/** log2 of: columns in a page, port classes in a chunk, ports in a port page. */
export const SHIFT = { page: 6, chunk: 10, portPage: 8 } as const;

/** Entries of a trie's root: it takes the first 16 bits of an address. */
export const TRIE_ROOT = 1 << 16;

/** The buffer is no table of this version, or a damaged one. */
export class TableFormatError extends Error {
  override readonly name = 'TableFormatError';
}

const MAGIC = 0x4e505442; // "NPTB"; reads differently on a machine of the other byte order
const VERSION = 1;
const HEADER = { magic: 0, version: 1, length: 2, checksum: 3, sections: 4 } as const;
const HEADER_WORDS = 32; // sections start on a cache line
const ALIGN_WORDS = 16; // 64 bytes
const MAX_WORDS = 2 ** 31 - 1; // offsets are signed: the trie tells leaves by their sign

/** Lays sections of these lengths out. Throws RangeError if they exceed 8 GiB together, the format's limit. */
export function layOut(lengths: Readonly<Record<SectionName, number>>): Layout {
  let end = HEADER_WORDS;
  const place = (length: number): Section => {
    const offset = end;
    end = Math.ceil((offset + length) / ALIGN_WORDS) * ALIGN_WORDS;
    return { offset, length };
  };
  const layout = mapSections((name) => place(lengths[name]));
  if (end > MAX_WORDS) throw new RangeError(`the policy table needs ${end} words; its format holds ${MAX_WORDS}`);
  return layout;
}

/** Makes a buffer of this layout, lets `fill` write the sections, and seals it with the header. */
export function writeBuffer(layout: Layout, fill: (words: Int32Array) => void): SharedArrayBuffer {
  const last = layout[SECTIONS[SECTIONS.length - 1] ?? 'portPages'];
  const length = Math.ceil((last.offset + last.length) / ALIGN_WORDS) * ALIGN_WORDS;
  const buffer = new SharedArrayBuffer(length * 4);
  const words = new Int32Array(buffer);
  fill(words);
  words[HEADER.magic] = MAGIC;
  words[HEADER.version] = VERSION;
  words[HEADER.length] = length;
  SECTIONS.forEach((name, index) => {
    words[HEADER.sections + 2 * index] = layout[name].offset;
    words[HEADER.sections + 2 * index + 1] = layout[name].length;
  });
  words[HEADER.checksum] = checksum(words);
  return buffer;
}

/** Reads the header. Throws TableFormatError unless the whole buffer is what writeBuffer made. Cost: one pass over it. */
export function readLayout(buffer: SharedArrayBuffer): Layout {
  if (buffer.byteLength % 4 !== 0 || buffer.byteLength < HEADER_WORDS * 4) {
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
  if (words[HEADER.checksum] !== checksum(words)) throw new TableFormatError('policy table with a wrong checksum');
  const layout = mapSections((_, index) => ({
    offset: words[HEADER.sections + 2 * index] ?? 0,
    length: words[HEADER.sections + 2 * index + 1] ?? 0,
  }));
  let end = HEADER_WORDS;
  for (const name of SECTIONS) {
    const { offset, length } = layout[name];
    if (offset < end || length < 0 || offset + length > words.length) {
      throw new TableFormatError(`policy table whose section ${name} is out of bounds`);
    }
    end = offset + length;
  }
  return layout;
}

function mapSections(section: (name: SectionName, index: number) => Section): Layout {
  return Object.fromEntries(SECTIONS.map((name, index) => [name, section(name, index)])) as Record<
    SectionName,
    Section
  >;
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
