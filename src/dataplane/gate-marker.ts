import { toBytes } from '../net/ip.ts';
import type { PacketHeader } from '../net/packet.ts';
import { IP_PROTOCOL } from '../net/port.ts';
import { MARKER } from './firewall.ts';
import { closeFd, plainSocket, sendDatagram, setNumber, SOL_SOCKET } from './libc.ts';

const ADDRESS_BYTES = toBytes([MARKER.address.word]);
const LOOPBACK = 127;
const UDP_HEADER_BYTES = 8;
const SO_MARK = 36;

/**
 * Sends marker packets through the gate's own queue. The kernel keeps the order of a queue, so when the
 * gate has a marker, it has judged everything that was queued before.
 */
export class MarkerSender {
  readonly #fd: number;
  #last = 0;

  /** @param namespace descriptor of the node's network namespace; this thread's if not given. Throws SystemCallError. */
  constructor(namespace: number | undefined) {
    this.#fd = plainSocket({ namespace, type: 'udp', family: 4 });
    setNumber(this.#fd, SOL_SOCKET, SO_MARK, MARKER.mark);
  }

  /** Sends a marker. @returns its number, never 0; undefined if it could not be sent, as while the loopback is down. */
  send(): number | undefined {
    this.#last = (this.#last + 1) | 0 || 1;
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setInt32(0, this.#last);
    return sendDatagram(this.#fd, { address: ADDRESS_BYTES, port: MARKER.port }, payload) ? this.#last : undefined;
  }

  close(): void {
    closeFd(this.#fd);
  }
}

/** The number of the marker that this packet is; 0 if it is none. No pod can send one: its source is a loopback address. */
export function readMarker(packet: Uint8Array, end: number, header: PacketHeader): number {
  if (header.destination !== MARKER.address.word || header.family !== 4 || header.ipProtocol !== IP_PROTOCOL.UDP)
    return 0;
  const payloadAt = header.transportAt + UDP_HEADER_BYTES;
  if (header.source >>> 24 !== LOOPBACK || payloadAt + 4 > end) return 0;
  return new DataView(packet.buffer, packet.byteOffset).getInt32(payloadAt);
}
