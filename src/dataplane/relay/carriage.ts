import type { FlowEnd } from '../../flows/flow-event.ts';
import { IP_PROTOCOL } from '../../net/port.ts';
import type { Decider } from '../../table/decider.ts';
import { decideFlow } from '../conntrack.ts';
import { closeFd, ERRNO } from '../libc.ts';
import type { EndedFlow } from './carried-flow.ts';
import type { ClientLookup } from './client-lookup.ts';
import { CLIENT, FAR, STATE, type Connections } from './connections.ts';
import type { Dialler } from './dialler.ts';
import { EPOLL, type Epoll } from '../epoll.ts';
import type { FarSockets } from './far-socket.ts';
import type { Acceptor } from './listener.ts';
import type { Pump } from './pump.ts';

const WATCHED = EPOLL.IN | EPOLL.PRI | EPOLL.OUT | EPOLL.RDHUP | EPOLL.EDGE;
const OVER = EPOLL.RDHUP | EPOLL.HUP | EPOLL.ERR;
const READABLE = EPOLL.IN | OVER;
// A dial that takes longer is worth asking whether its client still waits.
const SLOW_DIAL_MS = 400;
// A SYN that was let go arrives at once, or with the client's repetitions after 1 and 3 s.
const ARRIVAL_MS = 5000;

/** What a carriage works with. */
export interface CarriageParts {
  readonly connections: Connections;
  readonly dialler: Dialler;
  readonly sockets: FarSockets;
  readonly acceptor: Acceptor;
  readonly clients: ClientLookup;
  readonly pump: Pump;
  readonly epoll: Epoll;
  /** Receives each connection that has ended. */
  readonly ended: (flow: EndedFlow) => void;
}

/** The relay's connections from the far side's answer to their end. Their events are known by direction (`slot * 2 + side`) and generation. */
export class Carriage {
  readonly #parts: CarriageParts;
  // Directions that have more to carry, and their generations.
  #again: { readonly direction: number; readonly generation: number }[] = [];

  constructor(parts: CarriageParts) {
    this.#parts = parts;
  }

  /** Whether bytes wait that no event will tell of. */
  get hasMore(): boolean {
    return this.#again.length > 0;
  }

  /** Waits for the far side of a connection that is being dialled. Throws SystemCallError. */
  awaitFar(slot: number): void {
    this.#watch(slot, FAR);
  }

  /** Acts on an event. Throws SystemCallError. */
  event(direction: number, generation: number, flags: number, timeMs: number): void {
    const { connections } = this.#parts;
    const slot = direction >>> 1;
    const side = direction & 1;
    if (connections.generation[slot] !== generation) return;
    if ((flags & OVER) !== 0) connections.ending[direction] = 1;
    if ((flags & EPOLL.PRI) !== 0) connections.isUrgent[direction] = 1;
    if ((flags & READABLE) !== 0) connections.isHeard[direction] = 1;
    if (connections.state[slot] === STATE.dialling) this.#dialled(slot, flags, timeMs);
    if (connections.state[slot] !== STATE.open) return;
    if ((flags & READABLE) !== 0 && this.#carry(slot, side, timeMs)) return;
    if ((flags & EPOLL.OUT) !== 0 && connections.waiting[direction ^ 1] !== 0) this.#carry(slot, side ^ 1, timeMs);
  }

  /** Takes the clients that have come to a listener. Throws SystemCallError. */
  acceptFrom(listener: number, timeMs: number): void {
    const { acceptor, connections, dialler, sockets } = this.#parts;
    for (;;) {
      const client = acceptor.accept(listener);
      if (client < 0) return;
      const sequence = acceptor.sequence(client);
      const slot = sequence === undefined ? -1 : dialler.claim(sequence);
      if (slot < 0) {
        sockets.reset(client); // somebody else in the pod found the listener
        continue;
      }
      connections.fds[slot * 2 + CLIENT] = client;
      connections.enter(slot, STATE.open, timeMs);
      this.#watch(slot, CLIENT);
      if (connections.isHeard[slot * 2 + FAR]) this.#carry(slot, FAR, timeMs);
    }
  }

  /** Carries what waits. Throws SystemCallError. */
  carryMore(timeMs: number): void {
    const again = this.#again;
    this.#again = [];
    for (const { direction, generation } of again) {
      if (this.#parts.connections.generation[direction >>> 1] !== generation) continue;
      if (this.#parts.connections.state[direction >>> 1] !== STATE.open) continue;
      this.#carry(direction >>> 1, direction & 1, timeMs);
    }
  }

  /** Ends what a table denies, at once. Throws SystemCallError. */
  cut(decider: Decider, timeMs: number): void {
    const { connections } = this.#parts;
    for (let slot = 0; slot < connections.end; slot++) {
      if (connections.state[slot] === STATE.free) continue;
      const flow = {
        source: connections.source(slot),
        destination: connections.judged(slot),
        ipProtocol: IP_PROTOCOL.TCP,
        port: connections.judgedPort[slot] ?? 0,
      };
      if (decideFlow(decider, flow) !== 0) this.#end(slot, 'cut', timeMs);
    }
  }

  /** Gives up on clients that have left during the dial or never came. Throws SystemCallError. */
  sweep(timeMs: number): void {
    const { clients, connections, dialler } = this.#parts;
    for (const slot of dialler.expected()) {
      const ageMs = timeMs - (connections.changedMs[slot] ?? 0);
      const isGone =
        connections.state[slot] === STATE.dialling
          ? ageMs >= SLOW_DIAL_MS && clients.stateOf(connections, slot) === 'gone'
          : ageMs >= ARRIVAL_MS;
      if (isGone) this.#end(slot, 'reset', timeMs);
    }
  }

  /** Ends every connection. */
  close(timeMs: number): void {
    const { connections } = this.#parts;
    for (let slot = 0; slot < connections.end; slot++) {
      if (connections.state[slot] !== STATE.free) this.#end(slot, 'cut', timeMs);
    }
  }

  #watch(slot: number, side: number): void {
    const { connections, epoll } = this.#parts;
    const direction = slot * 2 + side;
    epoll.add(connections.fds[direction] ?? -1, WATCHED, direction, connections.generation[slot] ?? 0);
  }

  /** The far side has answered, refused or been reset since. */
  #dialled(slot: number, flags: number, timeMs: number): void {
    const { connections, dialler, sockets } = this.#parts;
    const far = connections.fds[slot * 2 + FAR] ?? -1;
    const code = (flags & (EPOLL.ERR | EPOLL.HUP)) === 0 ? 0 : sockets.failure(far);
    // In this state, a reset after the answer; before it, a refusal.
    if (code === ERRNO.ECONNRESET || code === ERRNO.EPIPE) connections.wasReset[slot * 2 + FAR] = 1;
    else if (code !== 0) {
      dialler.refuse(slot, code);
      closeFd(far);
      connections.give(slot);
      return;
    }
    if (code !== 0 || (flags & EPOLL.OUT) !== 0) dialler.release(slot, timeMs);
  }

  /** @returns whether the connection has ended over it. */
  #carry(slot: number, side: number, timeMs: number): boolean {
    const { connections, pump } = this.#parts;
    const outcome = pump.pump(slot, side);
    switch (outcome) {
      case 'idle':
        return false;
      case 'more':
        this.#again.push({ direction: slot * 2 + side, generation: connections.generation[slot] ?? 0 });
        return false;
      case 'closed':
      case 'reset':
        this.#end(slot, outcome, timeMs);
        return true;
    }
  }

  /** Ends a connection in any state: with a reset of what is left of it, unless both sides are through. */
  #end(slot: number, end: FlowEnd, timeMs: number): void {
    const { connections, dialler, pump, sockets } = this.#parts;
    const state = connections.state[slot];
    if (state === STATE.dialling) dialler.drop(slot);
    if (state === STATE.released) dialler.forget(slot);
    for (const direction of [slot * 2 + CLIENT, slot * 2 + FAR]) {
      const fd = connections.fds[direction] ?? -1;
      if (fd < 0) continue;
      if (end === 'closed') closeFd(fd);
      else sockets.reset(fd);
    }
    pump.discard(slot);
    if (state === STATE.open) this.#parts.ended(this.#record(slot, end, timeMs));
    connections.give(slot);
  }

  #record(slot: number, end: FlowEnd, timeMs: number): EndedFlow {
    const { connections } = this.#parts;
    const startMs = connections.startMs[slot] ?? 0;
    return {
      startMs,
      durationMs: timeMs - startMs,
      source: connections.source(slot),
      destination: connections.judged(slot),
      transport: 'TCP',
      sourcePort: connections.sourcePort[slot] ?? 0,
      destinationPort: connections.judgedPort[slot] ?? 0,
      sentBytes: connections.carried[slot * 2 + CLIENT] ?? 0,
      receivedBytes: connections.carried[slot * 2 + FAR] ?? 0,
      datagrams: 0,
      end,
    };
  }
}
