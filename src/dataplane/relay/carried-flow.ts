import type { CarriedReport, FlowEnd } from '../../flows/flow-event.ts';
import type { IpAddress } from '../../net/ip.ts';
import { IP_PROTOCOL } from '../../net/port.ts';
import { addressAt } from '../address-cache.ts';

const ENDS: readonly FlowEnd[] = ['closed', 'reset', 'cut', 'idle'];

/** A connection or UDP flow that has ended. `destination` is the one that it was judged by, behind any Service. */
export interface CarriedFlow extends CarriedReport {
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly transport: 'TCP' | 'UDP';
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** A flow that has ended, its addresses as bytes. */
export interface EndedFlow extends Omit<CarriedFlow, 'source' | 'destination'> {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

// Four times f64, datagrams u32, ports u16 twice, address length, protocol, end, 5 spare bytes, 16 bytes an address.
const RECORD_BYTES = 80;
const SOURCE_AT = 48;
const DESTINATION_AT = 64;

/** Flows that have ended, on their way to the main thread in one buffer. */
export class CarriedBatch {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #length = 0;

  /** @param capacity how many it takes before it must be emptied. */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity * RECORD_BYTES);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  get isFull(): boolean {
    return this.#length === this.#bytes.length;
  }

  add(flow: EndedFlow): void {
    const at = this.#length;
    const view = this.#view;
    view.setFloat64(at, flow.startMs);
    view.setFloat64(at + 8, flow.durationMs);
    view.setFloat64(at + 16, flow.sentBytes);
    view.setFloat64(at + 24, flow.receivedBytes);
    view.setUint32(at + 32, flow.datagrams);
    view.setUint16(at + 36, flow.sourcePort);
    view.setUint16(at + 38, flow.destinationPort);
    view.setUint8(at + 40, flow.source.length);
    view.setUint8(at + 41, IP_PROTOCOL[flow.transport]);
    view.setUint8(at + 42, ENDS.indexOf(flow.end));
    this.#bytes.set(flow.source, at + SOURCE_AT);
    this.#bytes.set(flow.destination, at + DESTINATION_AT);
    this.#length += RECORD_BYTES;
  }

  /** What was collected, to be transferred; empty if nothing was. */
  take(): ArrayBuffer {
    const taken = this.#bytes.buffer.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
}

/** The flows of a batch. */
export function readCarried(batch: ArrayBuffer): CarriedFlow[] {
  const bytes = new Uint8Array(batch);
  const view = new DataView(batch);
  const flows: CarriedFlow[] = [];
  for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
    const length = view.getUint8(at + 40);
    const address = (start: number): IpAddress => addressAt(bytes, at + start, length);
    flows.push({
      startMs: view.getFloat64(at),
      durationMs: view.getFloat64(at + 8),
      source: address(SOURCE_AT),
      destination: address(DESTINATION_AT),
      transport: view.getUint8(at + 41) === IP_PROTOCOL.TCP ? 'TCP' : 'UDP',
      sourcePort: view.getUint16(at + 36),
      destinationPort: view.getUint16(at + 38),
      sentBytes: view.getFloat64(at + 16),
      receivedBytes: view.getFloat64(at + 24),
      datagrams: view.getUint32(at + 32),
      end: ENDS[view.getUint8(at + 42)] ?? 'reset',
    });
  }
  return flows;
}
