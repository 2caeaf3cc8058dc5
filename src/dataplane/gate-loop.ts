import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { invariant } from '../model/invariant.ts';
import { emptyHeader, readPacket, type PacketHeader } from '../net/packet.ts';
import { openTable, type Decider } from '../table/decider.ts';
import { FlowBatch } from './flow-record.ts';
import { GateControl } from './gate-control.ts';
import { readMarker } from './gate-marker.ts';
import { ReceiveRing } from './netlink.ts';
import { emptyQueued, HOOK, PACKET_MESSAGE_BYTES, readQueued, VerdictBatch, type QueuedPacket } from './nfqueue.ts';
import { RepeatFilter, type Judgement } from './repeat-filter.ts';

/** What the gate's thread is started with. `denyMark` is 0 to drop, else the mark of packets to be rejected. */
export interface GateLoopData {
  readonly socket: number;
  readonly queue: number;
  readonly denyMark: number;
  readonly control: SharedArrayBuffer;
  readonly table: SharedArrayBuffer;
  /** New tables, the newest last: each posted before its version is published. */
  readonly tables: MessagePort;
  /** Batches of flow records for the main thread. */
  readonly flows: MessagePort;
}

/** A table on its way to the gate's thread. */
export interface NextTable {
  readonly version: number;
  readonly table: SharedArrayBuffer;
}

// Packets taken at once: verdicts of one batch are sent together, so a swap waits for one batch at most.
const BATCH = 64;
const FLOW_BATCH = 1024;

/** Records go out this often at most: a message to the main thread costs as much as judging several packets. */
export const REPORT_MS = 10;

/** Who carries what the gate judges, if not the kernel alone: sees each packet of a known kind. */
export interface Carrier {
  /** Before the verdict. May change the packet's source address, in `bytes` and in the header. */
  arriving(packet: QueuedPacket, bytes: Uint8Array, header: PacketHeader): void;
  /** After the verdict. `bits` are the Decider's, 0 for allowed. */
  judged(packet: QueuedPacket, bytes: Uint8Array, header: PacketHeader, judgement: Judgement): void;
  /** Another table is in force from now on. */
  tableChanged(decider: Decider): void;
}

/** Judges packets in the gate's thread. Whatever it throws is to end the thread, and the kernel drops from then on. */
export class GateLoop {
  readonly #data: GateLoopData;
  readonly #carrier: Carrier | undefined;
  readonly #control: GateControl;
  readonly #ring = new ReceiveRing(BATCH, PACKET_MESSAGE_BYTES);
  readonly #verdicts: VerdictBatch;
  readonly #flows = new FlowBatch(FLOW_BATCH);
  readonly #repeats = new RepeatFilter();
  readonly #header = emptyHeader();
  readonly #packet = emptyQueued();
  #decider: Decider;
  #version = 1;
  #marker = 0;

  constructor(data: GateLoopData, carrier?: Carrier) {
    this.#data = data;
    this.#carrier = carrier;
    this.#control = new GateControl(data.control);
    this.#verdicts = new VerdictBatch(data.queue, BATCH);
    this.#decider = openTable(data.table);
  }

  /** Whether the thread is to end. */
  get stopping(): boolean {
    return this.#control.stopping;
  }

  /** Judges a batch of what is queued. @returns whether there was any. Throws SystemCallError, TableFormatError. */
  turn(): boolean {
    const count = this.#ring.receive(this.#data.socket, false);
    if (count > 0) this.#judge(count);
    return count > 0;
  }

  /** Judges one batch of packets with one table: the newest when it begins. */
  #judge(count: number): void {
    try {
      const version = this.#control.begin();
      // One that is posted but not published yet may have been taken already.
      if (version > this.#version) this.#takeNewestTable();
      const timeMs = Date.now();
      for (let slot = 0; slot < count; slot++) this.#judgeOne(slot, timeMs);
      this.#verdicts.send(this.#data.socket);
      if (this.#marker !== 0) {
        this.report(); // whoever waits for the marker may want to know what was judged before
        this.#control.reached(this.#marker);
        this.#marker = 0;
      }
    } finally {
      this.#control.rest();
    }
    if (this.#flows.room < BATCH) this.report();
  }

  #takeNewestTable(): void {
    let newest: NextTable | undefined;
    for (;;) {
      const received = receiveMessageOnPort(this.#data.tables) as { message: NextTable } | undefined;
      if (received === undefined) break;
      newest = received.message;
    }
    invariant(newest, 'a version is published after its table was posted');
    this.#decider = openTable(newest.table);
    this.#version = newest.version;
    this.#carrier?.tableChanged(this.#decider);
  }

  #judgeOne(slot: number, timeMs: number): void {
    const { bytes, view, slotBytes } = this.#ring;
    const packet = this.#packet;
    if (!readQueued(view, slot * slotBytes, this.#ring.lengthOf(slot), packet)) return;
    const header = this.#header;
    if (packet.payloadAt < 0 || !readPacket(bytes, packet.payloadAt, packet.payloadEnd, header)) {
      this.#verdicts.drop(packet.id);
      return;
    }
    const marker = readMarker(bytes, packet.payloadEnd, header);
    if (marker !== 0) {
      this.#marker = marker;
      this.#verdicts.drop(packet.id);
      return;
    }
    this.#carrier?.arriving(packet, bytes, header);
    const { ipProtocol, destinationPort } = header;
    const bits =
      header.family === 4
        ? this.#decider.decide4(header.source, header.destination, ipProtocol, destinationPort)
        : this.#decider.decide6(bytes, header.sourceAt, header.destinationAt, ipProtocol, destinationPort);
    if (bits === 0) this.#verdicts.accept(packet.id, 0);
    // Nothing is refused behind the last hook that refuses.
    else if (this.#data.denyMark === 0 || packet.hook === HOOK.postrouting) this.#verdicts.drop(packet.id);
    else this.#verdicts.accept(packet.id, this.#data.denyMark);
    const judgement = { timeMs, bits, tableVersion: this.#version };
    this.#carrier?.judged(packet, bytes, header, judgement);
    // Behind the routing, only what belongs to a flow comes that was reported at its first packet.
    if (packet.hook === HOOK.postrouting) return;
    if (!this.#repeats.isRepeat(bytes, header, judgement)) this.#flows.add(bytes, header, judgement);
  }

  /** Whether records wait to be reported. */
  get hasRecords(): boolean {
    return !this.#flows.isEmpty;
  }

  /** Sends the records collected so far to the main thread. */
  report(): void {
    const batch = this.#flows.take();
    if (batch.byteLength > 0) this.#data.flows.postMessage(batch, [batch]);
  }
}
