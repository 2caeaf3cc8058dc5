import { emptyHeader, readPacket } from '../../net/packet.ts';
import { IP_PROTOCOL } from '../../net/port.ts';
import { ERRNO } from '../libc.ts';
import { ReceiveRing } from '../netlink.ts';
import { emptyQueued, PACKET_MESSAGE_BYTES, readQueued, VerdictBatch } from '../nfqueue.ts';
import type { ClientLookup } from './client-lookup.ts';
import { STATE, type Connections } from './connections.ts';
import type { FarSockets } from './far-socket.ts';
import { RELAY_MARK } from './relay-marks.ts';

const BATCH = 64;
const VERDICTS = 1024;

/** What a dialler works with. `queue` is the number of the queue of clients' SYNs, `socket` owns it. */
export interface DiallerParts {
  readonly queue: number;
  readonly socket: number;
  readonly connections: Connections;
  readonly sockets: FarSockets;
  readonly clients: ClientLookup;
}

/**
 * Holds clients' SYNs while the far side is dialled, and lets each meet what the dial has met: an
 * answer, a refusal, or nothing.
 */
export class Dialler {
  readonly #parts: DiallerParts;
  readonly #ring = new ReceiveRing(BATCH, PACKET_MESSAGE_BYTES);
  readonly #verdicts: VerdictBatch;
  readonly #packet = emptyQueued();
  readonly #header = emptyHeader();
  #hasReleased = false;
  // Connections whose client has not come to the listener yet, by the sequence number of its SYN.
  readonly #expected = new Map<number, number>();

  constructor(parts: DiallerParts) {
    this.#parts = parts;
    this.#verdicts = new VerdictBatch(parts.queue, VERDICTS);
  }

  /** Connections that are dialled, or whose client is on its way. */
  get pending(): number {
    return this.#expected.size;
  }

  /** Takes the SYNs that are queued. `dialled` is told each connection whose far side is being dialled. Throws SystemCallError. */
  takeSyns(timeMs: number, dialled: (slot: number) => void): void {
    const { bytes, view, slotBytes } = this.#ring;
    const count = this.#ring.receive(this.#parts.socket, false);
    for (let place = 0; place < count; place++) {
      const packet = this.#packet;
      if (!readQueued(view, place * slotBytes, this.#ring.lengthOf(place), packet)) continue;
      const isWhole = packet.payloadAt >= 0 && readPacket(bytes, packet.payloadAt, packet.payloadEnd, this.#header);
      if (isWhole && this.#header.ipProtocol === IP_PROTOCOL.TCP) this.#takeSyn(timeMs, dialled);
      else this.#drop(packet.id);
    }
  }

  /** The far side has answered: the client's SYN goes on to the listener. Takes effect with `flush`. */
  release(slot: number, timeMs: number): void {
    this.#parts.connections.enter(slot, STATE.released, timeMs);
    this.#accept(this.#parts.connections.packet[slot] ?? 0, RELAY_MARK.release);
  }

  /** The dial has failed for this reason, an errno: so does the client's. */
  refuse(slot: number, code: number): void {
    const packet = this.#parts.connections.packet[slot] ?? 0;
    const mark = refusal(code);
    if (mark === 0) this.#drop(packet);
    else this.#accept(packet, mark);
    this.forget(slot);
  }

  /** Drops the client's SYN: should it come again, it is another connection's. */
  drop(slot: number): void {
    this.#drop(this.#parts.connections.packet[slot] ?? 0);
    this.forget(slot);
  }

  /** @returns the connection whose client has come to the listener, -1 if none is expected. */
  claim(sequence: number): number {
    const slot = this.#expected.get(sequence) ?? -1;
    if (slot < 0 || this.#parts.connections.state[slot] !== STATE.released) return -1;
    this.forget(slot);
    return slot;
  }

  /** This connection's client is expected no longer. */
  forget(slot: number): void {
    const sequence = this.#parts.connections.sequence[slot] ?? 0;
    if (this.#expected.get(sequence) === slot) this.#expected.delete(sequence);
  }

  /** Connections whose client has not come yet. */
  expected(): IterableIterator<number> {
    return this.#expected.values();
  }

  /**
   * Sends the verdicts. SYNs that were let go have reached the listener when this returns.
   * @returns whether there were such. Throws SystemCallError.
   */
  flush(): boolean {
    const hasReleased = this.#hasReleased;
    this.#hasReleased = false;
    this.#verdicts.send(this.#parts.socket);
    return hasReleased;
  }

  #takeSyn(timeMs: number, dialled: (slot: number) => void): void {
    const { connections, sockets, clients } = this.#parts;
    const { id } = this.#packet;
    const header = this.#header;
    const bytes = this.#ring.bytes;
    const sequence = this.#ring.view.getInt32(header.transportAt + 4);
    const known = this.#expected.get(sequence) ?? -1;
    if (known >= 0) {
      // Sent again, as its first way to the listener was blocked.
      if (connections.state[known] === STATE.released) this.#accept(id, RELAY_MARK.release);
      else this.#drop(id);
      return;
    }
    const slot = connections.take(bytes, header, timeMs);
    if (slot < 0) {
      this.#accept(id, 0); // on to the gate: the kernel carries what the relay has no room for
      return;
    }
    connections.sequence[slot] = sequence;
    connections.packet[slot] = id;
    connections.interface[slot] = this.#packet.interface;
    const client = clients.stateOf(connections, slot);
    const fd = client === 'connecting' ? sockets.dial(slot) : 0;
    if (client === 'connecting' && fd >= 0) {
      connections.fds[slot * 2 + 1] = fd;
      this.#expected.set(sequence, slot);
      dialled(slot);
      return;
    }
    // Nothing from the listener would reach a socket that is bound to an interface: the kernel carries it.
    if (client === 'bound to interface' || NO_ROOM.has(-fd)) this.#accept(id, 0);
    else if (client === 'gone') this.#drop(id);
    else this.refuse(slot, -fd);
    connections.give(slot);
  }

  #drop(id: number): void {
    if (this.#verdicts.room < 1) this.flush();
    this.#verdicts.drop(id);
  }

  #accept(id: number, mark: number): void {
    if (mark === RELAY_MARK.release) this.#hasReleased = true;
    if (this.#verdicts.room < 1) this.flush();
    this.#verdicts.accept(id, mark);
  }
}

const NO_ROOM: ReadonlySet<number | undefined> = new Set([
  ERRNO.EMFILE,
  ERRNO.ENFILE,
  ERRNO.ENOBUFS,
  ERRNO.ENOMEM,
  ERRNO.EADDRNOTAVAIL,
]);

/** The mark by which the client is told the same; 0 if it is told nothing. */
function refusal(code: number): number {
  switch (code) {
    case ERRNO.ECONNREFUSED:
      return RELAY_MARK.reset;
    case ERRNO.ENETUNREACH:
      return RELAY_MARK.noRoute;
    case ERRNO.EACCES:
      return RELAY_MARK.prohibited;
    case ERRNO.ETIMEDOUT:
      return 0;
    default:
      return RELAY_MARK.hostUnreachable;
  }
}
