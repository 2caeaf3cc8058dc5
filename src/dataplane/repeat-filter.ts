import type { PacketHeader } from '../net/packet.ts';
import { IP_PROTOCOL } from '../net/port.ts';

// A SYN is sent again after 1, 3, 7 … seconds, with the same sequence number; a new attempt from
// the same port has another, so remembering it for long hides nothing. Two minutes are Linux's six retries.
const TCP_REPEAT_MS = 130_000;
// Other protocols number nothing: datagrams of the same addresses and ports count as one flow for
// this long, the pause of a resolver before it asks again (resolv.conf's timeout).
const OTHER_REPEAT_MS = 5_000;
const SLOTS = 4096;

/** What was decided on a packet. */
export interface Judgement {
  readonly timeMs: number;
  readonly bits: number;
  readonly tableVersion: number;
}

/**
 * Tells first packets that are sent again from new ones, so that an attempt is reported once for
 * each table that judges it. Only reports go through it, never verdicts: each packet is judged anew.
 * A hash of 32 bits stands for a packet; that two meet in it and one report is lost takes a chance of
 * 1 in 4 billion.
 */
export class RepeatFilter {
  readonly #hashes = new Uint32Array(SLOTS);
  readonly #reportedMs = new Float64Array(SLOTS).fill(-Infinity);

  /** Whether the same packet was reported of late with this table; if not, it counts as reported now. */
  isRepeat(packet: Uint8Array, header: PacketHeader, { timeMs, tableVersion }: Judgement): boolean {
    const hash = mix32(hashOf(packet, header), tableVersion) >>> 0;
    const slot = hash % SLOTS;
    const window = header.ipProtocol === IP_PROTOCOL.TCP ? TCP_REPEAT_MS : OTHER_REPEAT_MS;
    if (this.#hashes[slot] === hash && timeMs - (this.#reportedMs[slot] ?? 0) < window) return true;
    this.#hashes[slot] = hash;
    this.#reportedMs[slot] = timeMs;
    return false;
  }
}

/** FNV-1a over protocol, addresses, ports and TCP's sequence number: 32 bits, signed. Cost: some 30 ns for IPv4. */
export function hashOf(packet: Uint8Array, header: PacketHeader): number {
  const addressesEnd = header.destinationAt + (header.family === 4 ? 4 : 16);
  let hash = mix(0x811c9dc5, header.ipProtocol);
  for (let at = header.sourceAt; at < addressesEnd; at++) hash = mix(hash, packet[at] ?? 0);
  hash = mix32(hash, header.sourcePort * 65536 + header.destinationPort);
  if (header.ipProtocol !== IP_PROTOCOL.TCP) return hash;
  for (let at = header.transportAt + 4; at < header.transportAt + 8; at++) hash = mix(hash, packet[at] ?? 0);
  return hash;
}

function mix32(hash: number, word: number): number {
  return mix(mix(mix(mix(hash, word & 255), (word >>> 8) & 255), (word >>> 16) & 255), word >>> 24);
}

function mix(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}
