import type { AddressClasses } from './address-classes.ts';
import type { BlockPool } from './block-pool.ts';
import { layOut, RECORD, writeBuffer, type Section } from './layout.ts';
import type { PortClasses } from './port-classes.ts';
import type { PortSets } from './port-sets.ts';
import { Rows } from './rows.ts';

/** The parts of a table, each with ids or offsets of its own. */
export interface TableParts {
  readonly addresses: AddressClasses;
  readonly ports: PortClasses;
  readonly portSets: PortSets;
  readonly rows: Rows;
  /** The rows of each identity. */
  readonly rowsOf: readonly { readonly egress: number; readonly ingress: number }[];
}

/** Writes the parts into one buffer, their ids turned into offsets. Throws RangeError as layOut does. */
export function writeTable(parts: TableParts): SharedArrayBuffer {
  const { addresses, ports, portSets, rows } = parts;
  const layout = layOut({
    ipv4: addresses.tries[4].words.length,
    ipv6: addresses.tries[6].words.length,
    records: addresses.list.length * RECORD.words,
    nodes: addresses.nodes.length,
    rows: rows.rows.words.length,
    pages: rows.pages.words.length,
    portSets: portSets.sets.words.length,
    portChunks: portSets.chunks.words.length,
    portDirectory: ports.directory.length,
    portPages: ports.pages.words.length,
  });
  return writeBuffer(layout, (words) => {
    writeTrie(words, layout.ipv4, addresses.tries[4].words, layout.records);
    writeTrie(words, layout.ipv6, addresses.tries[6].words, layout.records);
    writeRecords(words, layout.records, parts, { nodes: layout.nodes.offset, rows: layout.rows.offset });
    words.set(addresses.nodes.words.subarray(0, addresses.nodes.length), layout.nodes.offset);
    writeIds(words, layout.rows, rows.rows.words, { section: layout.pages, pool: rows.pages });
    writeIds(words, layout.pages, rows.pages.words, { section: layout.portSets, pool: portSets.sets });
    writeIds(words, layout.portSets, portSets.sets.words, { section: layout.portChunks, pool: portSets.chunks });
    words.set(portSets.chunks.words, layout.portChunks.offset);
    writeIds(words, layout.portDirectory, ports.directory, { section: layout.portPages, pool: ports.pages });
    words.set(ports.pages.words, layout.portPages.offset);
  });
}

function writeTrie(words: Int32Array, to: Section, trie: Int32Array, records: Section): void {
  for (let index = 0; index < trie.length; index++) {
    const entry = trie[index] ?? 0;
    words[to.offset + index] = entry >= 0 ? entry + to.offset : ~(records.offset + ~entry * RECORD.words);
  }
}

function writeRecords(
  words: Int32Array,
  to: Section,
  { addresses, rows, rowsOf }: TableParts,
  base: { readonly nodes: number; readonly rows: number },
): void {
  const notIsolated = { egress: Rows.notIsolated, ingress: Rows.notIsolated };
  for (const [index, { column, identity, nodeAddress, node }] of addresses.list.entries()) {
    const own = (identity && rowsOf[identity.id]) ?? notIsolated;
    const at = to.offset + index * RECORD.words;
    words[at + RECORD.column] = column;
    words[at + RECORD.egressRow] = base.rows + own.egress * rows.rows.width;
    words[at + RECORD.ingressRow] = base.rows + own.ingress * rows.rows.width;
    words[at + RECORD.nodeAddress] = nodeAddress;
    words[at + RECORD.node] = node === undefined ? 0 : base.nodes + node;
  }
}

/** Writes ids of blocks as the offsets at which the blocks lie. */
function writeIds(
  words: Int32Array,
  to: Section,
  ids: Int32Array,
  blocks: { readonly section: Section; readonly pool: BlockPool },
): void {
  for (let index = 0; index < ids.length; index++) {
    words[to.offset + index] = blocks.section.offset + (ids[index] ?? 0) * blocks.pool.width;
  }
}
