import { errno, ERRNO } from '../libc.ts';
import { Area, calls } from '../calls.ts';
import { CLIENT, FAR, type Connections } from './connections.ts';
import { PIPE_BYTES, type PipePool } from './pipe-pool.ts';

const MSG_OOB = 1;
const MSG_PEEK = 2;
const MSG_NOSIGNAL = 0x4000;
const MSG_MORE = 0x8000;
const SIOCATMARK = 0x8905;
const SHUT_WR = 1;
const SPLICE = 1 | 2; // move, do not block
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const COPY_BYTES = 65536;
// A message of this size makes a direction bulk: below it, copying is cheaper than a pipe.
const BULK_BYTES = 32768;
// How often one direction carries before others have their turn.
const TURNS = 16;

/** What became of a direction: nothing to do until the next event, more waits already, or the connection is at its end. */
export type Pumped = 'idle' | 'more' | 'closed' | 'reset';

/**
 * Carries the bytes of open connections: small messages are received and sent from one buffer, much is
 * spliced by a pipe. Descriptors are watched edge by edge, so each direction is carried until the
 * kernel has no more or takes no more. Allocates only when a receiver first turns out to be slow.
 *
 * Reads stop before an urgent byte, though more is there. As the event says that there is one, the direction is then
 * copied until nothing is left, and the byte sent on as urgent.
 */
export class Pump {
  readonly #connections: Connections;
  readonly #pipes: PipePool;
  readonly #buffer = new Area(COPY_BYTES);
  readonly #one = new Area(4);
  readonly #peeked = new Area(1);
  readonly #atMark = new Area(4);
  // What was received and not taken yet, by direction, and how to send it; #connections.waiting says how much at its end.
  readonly #kept = new Map<number, { readonly area: Area; readonly flags: number }>();

  constructor(connections: Connections, pipes: PipePool) {
    this.#connections = connections;
    this.#pipes = pipes;
    this.#one.bytes.fill(1); // a true number in either byte order
  }

  /** Carries what comes from this side of an open connection. Cost: two calls a message, more for much. */
  pump(slot: number, side: number): Pumped {
    const { fds, ended, waiting, isBulk, isUrgent } = this.#connections;
    const direction = slot * 2 + side;
    const from = fds[direction] ?? -1;
    const to = fds[direction ^ 1] ?? -1;
    for (let turn = 0; turn < TURNS; turn++) {
      if (waiting[direction] !== 0) {
        const drained = this.#drain(direction, to);
        if (drained !== 'more') return drained;
        continue;
      }
      if (ended[direction]) return 'idle';
      const got =
        isBulk[direction] && !isUrgent[direction] ? this.#fill(direction, from, to) : this.#copy(direction, from, to);
      if (got === 'end') return this.#end(slot, side, to);
      if (got !== 'more') {
        this.#givePipe(direction);
        return got;
      }
    }
    return 'more';
  }

  /** Forgets what waits in both directions. */
  discard(slot: number): void {
    for (const direction of [slot * 2 + CLIENT, slot * 2 + FAR]) {
      this.#givePipe(direction);
      this.#kept.delete(direction);
    }
  }

  /** Receives into the buffer and sends from there. */
  #copy(direction: number, from: number, to: number): 'more' | 'idle' | 'end' | 'reset' {
    const { ending, isBulk, isUrgent } = this.#connections;
    const urgent = isUrgent[direction] && this.#isAtMark(from) ? MSG_OOB : 0;
    const got = calls.recv(from, this.#buffer.at, urgent ? 1 : COPY_BYTES, 0);
    if (got === 0) return 'end';
    if (got < 0) {
      const why = failure();
      if (why === 'idle') isUrgent[direction] = 0;
      return why;
    }
    this.#sendAtOnce(direction, to);
    // What comes with the end leaves with it, in one packet.
    const isLast = ending[direction] === 1 && this.#isAtEnd(direction, from);
    const flags = MSG_NOSIGNAL | urgent;
    const sent = calls.send(to, this.#buffer.at, got, isLast ? flags | MSG_MORE : flags);
    if (sent < 0 && failure() === 'reset') return 'reset';
    const taken = Math.max(sent, 0);
    this.#count(direction, taken);
    if (got >= BULK_BYTES) isBulk[direction] = 1;
    if (taken < got) {
      const area = new Area(got - taken);
      area.bytes.set(this.#buffer.bytes.subarray(taken, got));
      this.#kept.set(direction, { area, flags });
      this.#connections.waiting[direction] = got - taken;
      return 'more';
    }
    if (isLast) return 'end';
    // Fewer than asked for: the kernel has no more, but perhaps the end.
    return got < COPY_BYTES && !ending[direction] && !isUrgent[direction] ? 'idle' : 'more';
  }

  /** Whether the next byte is an urgent one. */
  #isAtMark(from: number): boolean {
    const { at, view } = this.#atMark;
    return calls.ioctl(from, SIOCATMARK, at) >= 0 && view.getInt32(0) !== 0;
  }

  /** Whether the sender has sent all, and that is taken. A reset that is met instead is kept for when its turn comes. */
  #isAtEnd(direction: number, from: number): boolean {
    const more = calls.recv(from, this.#peeked.at, 1, MSG_PEEK);
    if (more < 0 && failure() === 'reset') this.#connections.wasReset[direction] = 1;
    return more === 0;
  }

  /** Moves what is there into a pipe. */
  #fill(direction: number, from: number, to: number): 'more' | 'idle' | 'reset' {
    const { pipe, waiting, isBulk } = this.#connections;
    let reader = pipe[direction] ?? -1;
    if (reader < 0) {
      reader = this.#pipes.take();
      if (reader < 0) {
        isBulk[direction] = 0; // no descriptor left: copy
        return 'more';
      }
      pipe[direction] = reader;
      this.#sendAtOnce(direction, to);
    }
    const got = calls.splice(from, 0, this.#pipes.writer(reader), 0, PIPE_BYTES, SPLICE);
    if (got < 0) return failure();
    waiting[direction] = got;
    if (got < BULK_BYTES) isBulk[direction] = 0; // 0 is the end, or an urgent byte before it: copying tells
    return 'more';
  }

  /** Sends what waits. @returns `more` once nothing does. */
  #drain(direction: number, to: number): 'more' | 'idle' | 'reset' {
    const { pipe, waiting } = this.#connections;
    const kept = this.#kept.get(direction);
    for (;;) {
      const left = waiting[direction] ?? 0;
      const sent = kept
        ? calls.send(to, kept.area.at + kept.area.bytes.length - left, left, kept.flags)
        : calls.splice(pipe[direction] ?? -1, 0, to, 0, left, SPLICE);
      if (sent < 0) {
        const why = failure();
        if (why === 'more') continue;
        return why;
      }
      this.#count(direction, sent);
      waiting[direction] = left - sent;
      if (sent < left) continue;
      this.#kept.delete(direction);
      if (!this.#connections.isBulk[direction]) this.#givePipe(direction);
      return 'more';
    }
  }

  /** The sender will send no more: so is the receiver told. */
  #end(slot: number, side: number, to: number): Pumped {
    const { ended, wasReset } = this.#connections;
    const direction = slot * 2 + side;
    this.#givePipe(direction);
    if (wasReset[direction]) return 'reset';
    ended[direction] = 1;
    if (ended[direction ^ 1]) return 'closed';
    calls.shutdown(to, SHUT_WR);
    return 'idle';
  }

  /** A message is not to wait for the acknowledgement of the one before. The first leaves at once anyway; the listener sees to the client's side. */
  #sendAtOnce(direction: number, to: number): void {
    const { carried, sendsAtOnce } = this.#connections;
    if ((direction & 1) !== CLIENT || carried[direction] === 0 || sendsAtOnce[direction >>> 1]) return;
    sendsAtOnce[direction >>> 1] = 1;
    calls.setsockopt(to, IPPROTO_TCP, TCP_NODELAY, this.#one.at, 4);
  }

  #count(direction: number, bytes: number): void {
    const { carried } = this.#connections;
    carried[direction] = (carried[direction] ?? 0) + bytes;
  }

  #givePipe(direction: number): void {
    const { pipe, waiting } = this.#connections;
    const reader = pipe[direction] ?? -1;
    if (reader < 0) return;
    this.#pipes.give(reader, waiting[direction] === 0);
    pipe[direction] = -1;
  }
}

/** What the last call's failure means. */
function failure(): 'idle' | 'more' | 'reset' {
  const code = errno();
  if (code === ERRNO.EAGAIN) return 'idle';
  return code === ERRNO.EINTR ? 'more' : 'reset';
}
