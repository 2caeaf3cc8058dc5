import type { PacketHeader } from '../net/packet.ts';
import { IP_PROTOCOL } from '../net/port.ts';

// A SYN is sent again after 1, 3, 7 … seconds, with the same sequence number; a new attempt from
// the same port has another, so remembering it for long hides nothing. Two minutes are Linux's six retries.
const TCP_REPEAT_MS = 130_000;
// Other protocols number nothing: datagrams of the same addresses and ports count as one flow for
// this long, the pause of a resolver before it asks again (resolv.conf's timeout).
const OTHER_REPEAT_MS = 5_000;
const SLOTS = 4096;

/**
 * Tells first packets that are sent again from new ones, so that an attempt is reported once.
 * Only reports go through it, never verdicts: each packet is judged anew. A hash of 32 bits stands
 * for a packet; that two meet in it and one report is lost takes a chance of 1 in 4 billion.
 */
export class RepeatFilter {
  readonly #hashes = new Uint32Array(SLOTS);
  readonly #reportedMs = new Float64Array(SLOTS).fill(-Infinity);

  /** Whether the same packet with the same verdict was reported of late; if not, it counts as reported now. */
  isRepeat(packet: Uint8Array, header: PacketHeader, bits: number, nowMs: number): boolean {
    const tcp = header.ipProtocol === IP_PROTOCOL.TCP;
    const hash = hashOf(packet, header, tcp, bits);
    const slot = hash % SLOTS;
    const window = tcp ? TCP_REPEAT_MS : OTHER_REPEAT_MS;
    const known = this.#hashes[slot] === hash && nowMs - (this.#reportedMs[slot] ?? 0) < window;
    if (known) return true;
    this.#hashes[slot] = hash;
    this.#reportedMs[slot] = nowMs;
    return false;
  }
}

/** FNV-1a over addresses, protocol, ports, TCP's sequence number and the verdict. */
function hashOf(packet: Uint8Array, header: PacketHeader, tcp: boolean, bits: number): number {
  const addressesEnd = header.destinationAt + (header.family === 4 ? 4 : 16);
  let hash = mix(mix(0x811c9dc5, header.ipProtocol), bits);
  for (let at = header.sourceAt; at < addressesEnd; at++) hash = mix(hash, packet[at] ?? 0);
  hash = mix(mix(hash, header.sourcePort & 255), header.sourcePort >>> 8);
  hash = mix(mix(hash, header.destinationPort & 255), header.destinationPort >>> 8);
  if (tcp) for (let at = header.transportAt + 4; at < header.transportAt + 8; at++) hash = mix(hash, packet[at] ?? 0);
  return hash >>> 0;
}

function mix(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}
