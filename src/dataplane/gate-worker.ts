import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { invariant } from '../model/invariant.ts';
import { emptyHeader, readPacket } from '../net/packet.ts';
import { openTable, type Decider } from '../table/decider.ts';
import { FlowBatch } from './flow-record.ts';
import { GateControl } from './gate-control.ts';
import { readMarker } from './gate-marker.ts';
import { ReceiveRing } from './netlink.ts';
import { PACKET_MESSAGE_BYTES, readQueued, VerdictBatch } from './nfqueue.ts';
import { RepeatFilter } from './repeat-filter.ts';

/** What the gate's thread is started with. `denyMark` is 0 to drop, else the mark of packets to be rejected. */
export interface GateWorkerData {
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

/** Judges packets until it is told to stop. Whatever is thrown ends the thread, and the kernel drops from then on. */
class GateLoop {
  readonly #data: GateWorkerData;
  readonly #control: GateControl;
  readonly #ring = new ReceiveRing(BATCH, PACKET_MESSAGE_BYTES);
  readonly #verdicts: VerdictBatch;
  readonly #flows = new FlowBatch(FLOW_BATCH);
  readonly #repeats = new RepeatFilter();
  readonly #header = emptyHeader();
  readonly #packet = { id: 0, payloadAt: -1, payloadEnd: -1 };
  #decider: Decider;
  #version = 1;
  #marker = 0;

  constructor(data: GateWorkerData) {
    this.#data = data;
    this.#control = new GateControl(data.control);
    this.#verdicts = new VerdictBatch(data.queue, BATCH);
    this.#decider = openTable(data.table);
  }

  run(): void {
    while (!this.#control.stopping) {
      let count = this.#ring.receive(this.#data.socket, false);
      if (count === 0) {
        // Nothing waits, so there is time to report; under load reports go out in larger batches.
        this.#report();
        count = this.#ring.receive(this.#data.socket, true);
      }
      if (count > 0) this.#judge(count);
    }
    this.#report();
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
      if (this.#marker !== 0) this.#control.reached(this.#marker);
    } finally {
      this.#control.rest();
    }
    if (this.#flows.room < BATCH) this.#report();
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
    const { ipProtocol, destinationPort } = header;
    const bits =
      header.family === 4
        ? this.#decider.decide4(header.source, header.destination, ipProtocol, destinationPort)
        : this.#decider.decide6(bytes, header.sourceAt, header.destinationAt, ipProtocol, destinationPort);
    if (bits === 0) this.#verdicts.accept(packet.id, 0);
    else if (this.#data.denyMark === 0) this.#verdicts.drop(packet.id);
    else this.#verdicts.accept(packet.id, this.#data.denyMark);
    const judgement = { timeMs, bits, tableVersion: this.#version };
    if (!this.#repeats.isRepeat(bytes, header, judgement)) this.#flows.add(bytes, header, judgement);
  }

  #report(): void {
    const batch = this.#flows.take();
    if (batch.byteLength > 0) this.#data.flows.postMessage(batch, [batch]);
  }
}

const loop = new GateLoop(workerData as GateWorkerData);
parentPort?.postMessage('ready');
loop.run();
