import { checked, errno, ERRNO, SystemCallError } from './libc.ts';
import { LITTLE_ENDIAN } from './netlink.ts';
import { Area, calls } from './calls.ts';

// Source: linux/eventpoll.h.
const CLOEXEC = 0o2000000;
const ADD = 1;

/** What an event says of a descriptor, and how it is to be watched. */
export const EPOLL = { IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 0x10, RDHUP: 0x2000, EDGE: 0x80000000 } as const;

// struct epoll_event is packed on x86-64 alone.
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const DATA_AT = EVENT_BYTES - 8;
const EVENTS = 256;

/** Descriptors that are watched, and those that have become ready. Each is known by two words of its owner's choice. */
export class Epoll {
  readonly fd: number;
  readonly #events = new Area(EVENTS * EVENT_BYTES);
  readonly #added = new Area(EVENT_BYTES);

  /** @param fd of an epoll instance; a new one if not given. It stays the caller's to close. Throws SystemCallError. */
  constructor(fd = checked('epoll_create1', calls.epollCreate(CLOEXEC))) {
    this.fd = fd;
  }

  /** Watches a descriptor until it is closed. Throws SystemCallError. */
  add(fd: number, flags: number, word: number, generation: number): void {
    const { view, at } = this.#added;
    view.setUint32(0, flags, LITTLE_ENDIAN);
    view.setUint32(DATA_AT, word, LITTLE_ENDIAN);
    view.setUint32(DATA_AT + 4, generation, LITTLE_ENDIAN);
    checked('epoll_ctl', calls.epollControl(this.fd, ADD, fd, at));
  }

  /** Waits for the first event. @param timeoutMs -1 for as long as it takes. @returns how many. Throws SystemCallError. */
  wait(timeoutMs: number): number {
    const count = calls.epollWait(this.fd, this.#events.at, EVENTS, timeoutMs);
    if (count >= 0) return count;
    if (errno() === ERRNO.EINTR) return 0;
    throw new SystemCallError('epoll_wait');
  }

  flags(event: number): number {
    return this.#events.view.getUint32(event * EVENT_BYTES, LITTLE_ENDIAN);
  }

  word(event: number): number {
    return this.#events.view.getUint32(event * EVENT_BYTES + DATA_AT, LITTLE_ENDIAN);
  }

  generation(event: number): number {
    return this.#events.view.getUint32(event * EVENT_BYTES + DATA_AT + 4, LITTLE_ENDIAN);
  }
}
