import { TRANSPORTS, transportOf, type Protocol, type Transport } from '../net/port.ts';
import type { Arena } from './arena.ts';
import { PLACE, SHIFT } from './layout.ts';

const PORTS = 1 << 16;
const PAGE = 1 << SHIFT.portPage;

/** Ports of one protocol, both ends inclusive. */
export interface PortRange {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/** Ports of all transports in one row, each transport's 65,536 after those of the one before. ICMP is the last. */
export const ALL_PORTS = TRANSPORTS.length * PORTS;

/** The place of a port in that row. */
export function portPlace(transport: Transport, port: number): number {
  return TRANSPORTS.indexOf(transport) * PORTS + port;
}

/**
 * Classes of ports that no range tells apart, in the arena's port directory. They are cut finer as
 * ranges need it and never joined again: a bound that was used once may come back.
 * A port set must hold a new class if it holds the one that it was cut off: see `onCut`.
 */
export class PortClasses {
  readonly #arena: Arena;
  readonly #onCut: (from: number, to: number) => void;
  readonly #starts: number[] = []; // places where classes begin, ascending
  readonly #classes: number[] = []; // the class that begins there
  readonly #uniform = new Map<number, number>(); // of a class, the page that it fills alone

  /** @param onCut called with a class and the new one that is cut off it, before any port has the new one. */
  constructor(arena: Arena, onCut: (from: number, to: number) => void) {
    this.#arena = arena;
    this.#onCut = onCut;
    for (let ipProtocol = 0; ipProtocol < 256; ipProtocol++) {
      arena.words[PLACE.protocols + ipProtocol] =
        PLACE.ports + (portPlace(transportOf(ipProtocol), 0) >>> SHIFT.portPage);
    }
    TRANSPORTS.forEach((_, index) => {
      this.#starts.push(index * PORTS);
      this.#classes.push(index);
      this.#write(index * PORTS, (index + 1) * PORTS, index);
    });
  }

  /** Number of classes. */
  get count(): number {
    return this.#starts.length;
  }

  /** The class of a port. */
  of(transport: Transport, port: number): number {
    return this.#classes[this.#indexAt(portPlace(transport, port))] ?? 0;
  }

  /** The classes from one place to another, both of which cut() has been told. */
  between(first: number, end: number): readonly number[] {
    return this.#classes.slice(this.#indexAt(first), this.#indexAt(end - 1) + 1);
  }

  /**
   * Lets a class begin at this place. Cost: the pages of the class that is cut.
   * Readers may see any part of it at any time: a port of either class gets the same verdict.
   */
  cut(place: number): void {
    if (place >= ALL_PORTS) return;
    const index = this.#indexAt(place);
    if (this.#starts[index] === place) return;
    const made = this.count;
    this.#onCut(this.#classes[index] ?? 0, made);
    this.#write(place, this.#starts[index + 1] ?? ALL_PORTS, made);
    this.#starts.splice(index + 1, 0, place);
    this.#classes.splice(index + 1, 0, made);
  }

  /** The last class that begins at the place or before it. */
  #indexAt(place: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #write(from: number, to: number, portClass: number): void {
    for (let page = from >>> SHIFT.portPage; page < Math.ceil(to / PAGE); page++) {
      const [first, last] = [Math.max(from, page * PAGE), Math.min(to, (page + 1) * PAGE)];
      if (last - first === PAGE) {
        const uniform = this.#uniformPage(portClass); // which may replace the arena's words
        this.#arena.words[PLACE.ports + page] = uniform;
        continue;
      }
      const own = this.#ownPage(page);
      this.#arena.words.fill(portClass, own + (first % PAGE), own + (first % PAGE) + last - first);
    }
  }

  #uniformPage(portClass: number): number {
    let page = this.#uniform.get(portClass);
    if (page === undefined) {
      page = this.#arena.alloc(PAGE);
      this.#arena.words.fill(portClass, page, page + PAGE);
      this.#uniform.set(portClass, page);
    }
    return page;
  }

  /** The page, copied if it is one that other pages share. */
  #ownPage(page: number): number {
    const known = this.#arena.words[PLACE.ports + page] ?? 0;
    if (this.#uniform.get(this.#arena.words[known] ?? 0) !== known) return known;
    const own = this.#arena.alloc(PAGE);
    this.#arena.words.copyWithin(own, known, known + PAGE);
    this.#arena.words[PLACE.ports + page] = own;
    return own;
  }
}
