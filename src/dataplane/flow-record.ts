import type { IpAddress } from '../net/ip.ts';
import { addressAt } from './address-cache.ts';
import type { PacketHeader } from '../net/packet.ts';
import { transportOf, type Transport } from '../net/port.ts';
import type { Judgement } from './repeat-filter.ts';

/** A first packet that was judged. Ports are 0 for ICMP; `bits` are the Decider's, 0 for allowed. */
export interface FlowRecord {
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly transport: Transport;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly bits: number;
  /** Which table decided: 1 for the gate's first, one more with each swap. */
  readonly tableVersion: number;
}

// time f64, table version u32, ports u16 twice, family, protocol, bits, a spare byte, 4 spare bytes, 16 bytes an address.
const RECORD_BYTES = 56;
const SOURCE_AT = 24;
const DESTINATION_AT = 40;

/** Records on their way from the gate's thread to the main one, in one buffer. */
export class FlowBatch {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  /** @param capacity how many records it takes before it must be emptied. */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity * RECORD_BYTES);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Records that fit yet. */
  get room(): number {
    return (this.#bytes.length - this.#length) / RECORD_BYTES;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Appends a record. `packet` is what `header` was read from. */
  add(packet: Uint8Array, header: PacketHeader, judgement: Judgement): void {
    const at = this.#length;
    const view = this.#view;
    view.setFloat64(at, judgement.timeMs);
    view.setUint32(at + 8, judgement.tableVersion);
    view.setUint16(at + 12, header.sourcePort);
    view.setUint16(at + 14, header.destinationPort);
    view.setUint8(at + 16, header.family);
    view.setUint8(at + 17, header.ipProtocol);
    view.setUint8(at + 18, judgement.bits);
    const addressBytes = header.family === 4 ? 4 : 16;
    for (let index = 0; index < addressBytes; index++) {
      this.#bytes[at + SOURCE_AT + index] = packet[header.sourceAt + index] ?? 0;
      this.#bytes[at + DESTINATION_AT + index] = packet[header.destinationAt + index] ?? 0;
    }
    this.#length += RECORD_BYTES;
  }

  /** What was collected, to be transferred; empty if nothing was. */
  take(): ArrayBuffer {
    const taken = this.#bytes.buffer.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
}

/** The records of a batch. */
export function readFlows(batch: ArrayBuffer): FlowRecord[] {
  const bytes = new Uint8Array(batch);
  const view = new DataView(batch);
  const records: FlowRecord[] = [];
  for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
    const addressBytes = view.getUint8(at + 16) === 4 ? 4 : 16;
    const address = (start: number): IpAddress => addressAt(bytes, start, addressBytes);
    records.push({
      timeMs: view.getFloat64(at),
      source: address(at + SOURCE_AT),
      destination: address(at + DESTINATION_AT),
      transport: transportOf(view.getUint8(at + 17)),
      sourcePort: view.getUint16(at + 12),
      destinationPort: view.getUint16(at + 14),
      bits: view.getUint8(at + 18),
      tableVersion: view.getUint32(at + 8),
    });
  }
  return records;
}
