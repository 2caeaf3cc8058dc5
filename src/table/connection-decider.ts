import type { Connection } from '../model/verdict.ts';
import { IP_PROTOCOL } from '../net/port.ts';
import { openTable } from './decider.ts';

const DESTINATION_AT = 16;

/**
 * Opens the buffer of a compiled table for connections in place of numbers: verdicts without reasons,
 * for many questions of one table. The answers are those of Decider: 0 or bits of DENIED.
 * Throws TableFormatError as openTable does. Cost: a decision and, for IPv6, copying 32 bytes.
 */
export function connectionDecider(buffer: SharedArrayBuffer): (connection: Connection) => number {
  const decider = openTable(buffer);
  const bytes = new Uint8Array(2 * DESTINATION_AT);
  const view = new DataView(bytes.buffer);
  return ({ source, destination, transport, port }) => {
    if (source.family === 4) {
      return decider.decide4(source.words[0] ?? 0, destination.words[0] ?? 0, IP_PROTOCOL[transport], port);
    }
    for (let word = 0; word < 4; word++) {
      view.setUint32(4 * word, source.words[word] ?? 0);
      view.setUint32(DESTINATION_AT + 4 * word, destination.words[word] ?? 0);
    }
    return decider.decide6(bytes, 0, DESTINATION_AT, IP_PROTOCOL[transport], port);
  };
}
