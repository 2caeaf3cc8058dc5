import type { MessagePort } from 'node:worker_threads';
import type { PacketHeader } from '../../net/packet.ts';
import { IP_PROTOCOL } from '../../net/port.ts';
import type { Decider } from '../../table/decider.ts';
import { GateLoop, REPORT_MS, type Carrier, type GateLoopData } from '../gate-loop.ts';
import { enterNamespace } from '../libc.ts';
import { HOOK, type QueuedPacket } from '../nfqueue.ts';
import type { Judgement } from '../repeat-filter.ts';
import { Carriage } from './carriage.ts';
import { CarriedBatch, type EndedFlow } from './carried-flow.ts';
import { ClientLookup } from './client-lookup.ts';
import { Connections } from './connections.ts';
import { Dialler } from './dialler.ts';
import { Epoll, EPOLL } from '../epoll.ts';
import { FarSockets } from './far-socket.ts';
import { Acceptor } from './listener.ts';
import { PipePool } from './pipe-pool.ts';
import { Pump } from './pump.ts';
import { RELAY_MARK } from './relay-marks.ts';
import { UdpFlows } from './udp-flows.ts';

/** What the relay's part of the thread is started with. The descriptors stay the main thread's to close. */
export interface RelayLoopData {
  /** Descriptor of the pod's network namespace; the thread's own if not given. */
  readonly namespace: number | undefined;
  readonly queue: number;
  readonly socket: number;
  readonly listeners: readonly number[];
  readonly clientLookup: number;
  readonly epoll: number;
  /** The pod's addresses: 4 or 16 bytes each, at most one of each. */
  readonly addresses: readonly Uint8Array[];
  readonly established: 'keep' | 'strict';
  /** The connections' descriptors, shared with the main thread. */
  readonly fds: SharedArrayBuffer;
  /** Batches of flows that have ended, for the main thread. */
  readonly carried: MessagePort;
}

// What the descriptors that are no connection's are known by.
const WORD = { gate: 0xffffffff, syns: 0xfffffffe, listener: 0xffffff00 } as const;
const SWEEP_MS = 500;
const CARRIED_BATCH = 1024;

/** Judges as the gate does and carries the pod's outgoing connections, in one thread. Whatever it throws is to end the thread. */
export class RelayLoop implements Carrier {
  readonly #data: RelayLoopData;
  readonly #gate: GateLoop;
  readonly #connections: Connections;
  readonly #epoll: Epoll;
  readonly #pipes = new PipePool();
  readonly #dialler: Dialler;
  readonly #carriage: Carriage;
  readonly #udp: UdpFlows;
  readonly #carried = new CarriedBatch(CARRIED_BATCH);
  #nowMs = Date.now();
  #reportedMs = 0;
  #sweptMs = 0;

  constructor(gate: GateLoopData, data: RelayLoopData) {
    this.#data = data;
    if (data.namespace !== undefined) enterNamespace(data.namespace); // where it dials
    this.#gate = new GateLoop(gate, this);
    this.#connections = new Connections(data.fds);
    this.#epoll = new Epoll(data.epoll);
    const ended = (flow: EndedFlow): void => {
      if (this.#carried.isFull) this.#report();
      this.#carried.add(flow);
    };
    const connections = this.#connections;
    const sockets = new FarSockets(connections);
    const clients = new ClientLookup(data.clientLookup);
    this.#dialler = new Dialler({ queue: data.queue, socket: data.socket, connections, sockets, clients });
    this.#carriage = new Carriage({
      connections,
      dialler: this.#dialler,
      sockets,
      acceptor: new Acceptor(),
      clients,
      pump: new Pump(connections, this.#pipes),
      epoll: this.#epoll,
      ended,
    });
    this.#udp = new UdpFlows(ended);
    this.#epoll.add(gate.socket, EPOLL.IN, WORD.gate, 0);
    this.#epoll.add(data.socket, EPOLL.IN, WORD.syns, 0);
    data.listeners.forEach((fd, index) => {
      this.#epoll.add(fd, EPOLL.IN, WORD.listener + index, 0);
    });
  }

  /** Works until the gate is told to stop. */
  run(): void {
    while (!this.#gate.stopping) this.#turn();
    this.#carriage.close(this.#nowMs);
    this.#udp.close();
    this.#pipes.close();
    this.#gate.report();
    this.#report();
  }

  arriving(packet: QueuedPacket, bytes: Uint8Array, header: PacketHeader): void {
    if (!isDial(packet)) return;
    const own = this.#data.addresses.find(({ length }) => length === (header.family === 4 ? 4 : 16));
    if (!own) return;
    bytes.set(own, header.sourceAt);
    // The client's own, also where the relay dials from another.
    header.sourcePort = this.#connections.sourcePort[packet.mark & RELAY_MARK.slotMask] ?? header.sourcePort;
    if (header.family === 4) header.source = new DataView(own.buffer, own.byteOffset).getUint32(0);
  }

  judged(packet: QueuedPacket, bytes: Uint8Array, header: PacketHeader, { bits, timeMs }: Judgement): void {
    if (bits !== 0) return;
    if (isDial(packet)) {
      const slot = packet.mark & RELAY_MARK.slotMask;
      if (slot < this.#connections.capacity) this.#connections.setJudged(slot, bytes, header);
    } else if (header.ipProtocol === IP_PROTOCOL.UDP && packet.hook >= HOOK.output) {
      this.#udp.count(bytes, packet.payloadAt, header, timeMs);
    }
  }

  tableChanged(decider: Decider): void {
    if (this.#data.established === 'strict') this.#carriage.cut(decider, Date.now());
    this.#udp.cut(decider);
  }

  #turn(): void {
    const count = this.#epoll.wait(this.#patienceMs());
    const timeMs = Date.now();
    this.#nowMs = timeMs;
    let hasSyns = false;
    let hasPackets = false;
    let hasClients = false;
    for (let event = 0; event < count; event++) {
      const word = this.#epoll.word(event);
      if (word === WORD.gate) hasPackets = true;
      else if (word === WORD.syns) hasSyns = true;
      else if (word >= WORD.listener) hasClients = true;
      else this.#carriage.event(word, this.#epoll.generation(event), this.#epoll.flags(event), timeMs);
    }
    if (hasSyns) {
      this.#dialler.takeSyns(timeMs, (slot) => {
        this.#carriage.awaitFar(slot);
      });
      hasPackets = true; // the relay's own SYNs
    }
    if (hasPackets) this.#gate.turn();
    this.#carriage.carryMore(timeMs);
    if (this.#dialler.flush() || hasClients) {
      for (const listener of this.#data.listeners) this.#carriage.acceptFrom(listener, timeMs);
    }
    this.#keepTime(timeMs);
  }

  /** How long to wait for an event. */
  #patienceMs(): number {
    if (this.#carriage.hasMore) return 0;
    if (this.#gate.hasRecords || !this.#carried.isEmpty) return REPORT_MS;
    return this.#dialler.pending > 0 || this.#udp.size > 0 ? SWEEP_MS : -1;
  }

  #keepTime(timeMs: number): void {
    if (timeMs - this.#reportedMs >= REPORT_MS) {
      this.#gate.report();
      this.#report();
      this.#reportedMs = timeMs;
    }
    if (timeMs - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = timeMs;
    this.#carriage.sweep(timeMs);
    this.#udp.endIdle(timeMs);
    this.#dialler.flush();
  }

  #report(): void {
    const batch = this.#carried.take();
    if (batch.byteLength > 0) this.#data.carried.postMessage(batch, [batch]);
  }
}

function isDial({ mark }: QueuedPacket): boolean {
  return (mark & RELAY_MARK.dialMask) === RELAY_MARK.dial;
}
