import type { PacketHeader } from '../../net/packet.ts';

/** Sides of a connection. Bytes that come from a side belong to its direction: CLIENT's are on their way to the far side. */
export const CLIENT = 0;
export const FAR = 1;

/**
 * Where a connection stands. `dialling`: the client's SYN is held while the far side is dialled.
 * `released`: the SYN is on its way to the listener. `open`: both sides are there.
 */
export const STATE = { free: 0, dialling: 1, released: 2, open: 3 } as const;

const ADDRESS_BYTES = 16;
const ADDRESSES_BYTES = 3 * ADDRESS_BYTES; // source, dialled, judged

/**
 * The relay's connections, one a slot, in typed arrays: carrying allocates nothing. What belongs to a
 * side or direction is at `slot * 2 + side`. Descriptors are in shared memory, so that the main thread
 * can close them should this one die.
 */
export class Connections {
  readonly capacity: number;
  /** -1 for none. */
  readonly fds: Int32Array<SharedArrayBuffer>;
  readonly state: Uint8Array;
  /** Tells a slot's connections apart: events of an earlier one may still come. */
  readonly generation: Uint32Array;
  readonly family: Uint8Array;
  readonly sourcePort: Uint16Array;
  /** The port that the client dialled, and the one that it was judged by: another if it dialled a Service. */
  readonly dialledPort: Uint16Array;
  readonly judgedPort: Uint16Array;
  /** The client's TCP sequence number, which tells its SYN from any other. */
  readonly sequence: Int32Array;
  /** Number of the held SYN in the queue, and the interface it leaves by. */
  readonly packet: Uint32Array;
  readonly interface: Uint32Array;
  /** Milliseconds since the epoch: when the SYN came, and when the state changed. */
  readonly startMs: Float64Array;
  readonly changedMs: Float64Array;
  /** The far side's socket sends each message at once. */
  readonly sendsAtOnce: Uint8Array;
  /** By direction: bytes that were carried, and those that wait, in `pipe` (-1 for none) or in the pump. */
  readonly carried: Float64Array;
  readonly waiting: Uint32Array;
  readonly pipe: Int32Array;
  /** By direction: it carries much, so that bytes go by a pipe without being copied. */
  readonly isBulk: Uint8Array;
  /** By side: something has come from it. */
  readonly isHeard: Uint8Array;
  /** By direction: the sender has sent urgent data, which may not have been carried yet. */
  readonly isUrgent: Uint8Array;
  /** By direction: the sender will send no more; `ended`: and the receiver knows. */
  readonly ending: Uint8Array;
  readonly ended: Uint8Array;
  /** By direction: the sender has reset the connection: so is the receiver once it has what came before. */
  readonly wasReset: Uint8Array;
  readonly #addresses: Uint8Array;
  readonly #free: number[] = [];
  #end = 0;

  /** @param fds room for two descriptors a connection. */
  constructor(fds: SharedArrayBuffer) {
    const capacity = fds.byteLength / 2 / Int32Array.BYTES_PER_ELEMENT;
    this.capacity = capacity;
    this.fds = new Int32Array(fds);
    this.state = new Uint8Array(capacity);
    this.generation = new Uint32Array(capacity);
    this.family = new Uint8Array(capacity);
    this.sourcePort = new Uint16Array(capacity);
    this.dialledPort = new Uint16Array(capacity);
    this.judgedPort = new Uint16Array(capacity);
    this.sequence = new Int32Array(capacity);
    this.packet = new Uint32Array(capacity);
    this.interface = new Uint32Array(capacity);
    this.startMs = new Float64Array(capacity);
    this.changedMs = new Float64Array(capacity);
    this.sendsAtOnce = new Uint8Array(capacity);
    this.carried = new Float64Array(capacity * 2);
    this.waiting = new Uint32Array(capacity * 2);
    this.pipe = new Int32Array(capacity * 2).fill(-1);
    this.isBulk = new Uint8Array(capacity * 2);
    this.isHeard = new Uint8Array(capacity * 2);
    this.isUrgent = new Uint8Array(capacity * 2);
    this.ending = new Uint8Array(capacity * 2);
    this.ended = new Uint8Array(capacity * 2);
    this.wasReset = new Uint8Array(capacity * 2);
    this.#addresses = new Uint8Array(capacity * ADDRESSES_BYTES);
  }

  /** Slots from this one on have never been used. */
  get end(): number {
    return this.#end;
  }

  /** How many are in use. */
  get count(): number {
    return this.#end - this.#free.length;
  }

  /** A slot for the connection that this SYN asks for; -1 if all are taken. */
  take(bytes: Uint8Array, header: PacketHeader, timeMs: number): number {
    const slot = this.#free.pop() ?? (this.#end < this.capacity ? this.#end++ : -1);
    if (slot < 0) return -1;
    this.generation[slot] = ((this.generation[slot] ?? 0) + 1) >>> 0;
    this.family[slot] = header.family;
    this.sourcePort[slot] = header.sourcePort;
    this.dialledPort[slot] = header.destinationPort;
    this.startMs[slot] = timeMs;
    this.sendsAtOnce[slot] = 0;
    this.enter(slot, STATE.dialling, timeMs);
    this.#setAddress(slot, 0, bytes, header.sourceAt);
    this.#setAddress(slot, 1, bytes, header.destinationAt);
    this.setJudged(slot, bytes, header);
    for (const at of [slot * 2, slot * 2 + 1]) {
      this.fds[at] = -1;
      this.carried[at] = 0;
      this.waiting[at] = 0;
      this.isBulk[at] = 0;
      this.isHeard[at] = 0;
      this.isUrgent[at] = 0;
      this.ending[at] = 0;
      this.ended[at] = 0;
      this.wasReset[at] = 0;
    }
    return slot;
  }

  /** Gives a slot back. */
  give(slot: number): void {
    this.state[slot] = STATE.free;
    this.fds[slot * 2] = -1;
    this.fds[slot * 2 + 1] = -1;
    this.#free.push(slot);
  }

  /** Changes the state, at this time. */
  enter(slot: number, state: (typeof STATE)[keyof typeof STATE], timeMs: number): void {
    this.state[slot] = state;
    this.changedMs[slot] = timeMs;
  }

  /** Sets by which destination the connection was judged. */
  setJudged(slot: number, bytes: Uint8Array, header: PacketHeader): void {
    this.#setAddress(slot, 2, bytes, header.destinationAt);
    this.judgedPort[slot] = header.destinationPort;
  }

  /** The client's address: 4 or 16 bytes. */
  source(slot: number): Uint8Array {
    return this.#address(slot, 0);
  }

  /** The address that the client dialled: 4 or 16 bytes. */
  dialled(slot: number): Uint8Array {
    return this.#address(slot, 1);
  }

  /** The address that it was judged by: 4 or 16 bytes. */
  judged(slot: number): Uint8Array {
    return this.#address(slot, 2);
  }

  #address(slot: number, which: number): Uint8Array {
    const at = slot * ADDRESSES_BYTES + which * ADDRESS_BYTES;
    return this.#addresses.subarray(at, at + (this.family[slot] === 4 ? 4 : 16));
  }

  #setAddress(slot: number, which: number, bytes: Uint8Array, from: number): void {
    const at = slot * ADDRESSES_BYTES + which * ADDRESS_BYTES;
    const length = this.family[slot] === 4 ? 4 : 16;
    for (let index = 0; index < length; index++) this.#addresses[at + index] = bytes[from + index] ?? 0;
  }
}
