import { IP_PROTOCOL } from '../net/port.ts';
import type { Decider } from '../table/decider.ts';
import { FLOW_MARK } from './firewall.ts';
import { closeFd, ERRNO, SystemCallError } from './libc.ts';
import {
  attributeEnd,
  findAttribute,
  LITTLE_ENDIAN,
  Message,
  MESSAGE_HEADER_BYTES,
  NETLINK,
  network32,
  openNetfilterSocket,
  ReceiveRing,
  sendAll,
  setReadTimeout,
} from './netlink.ts';

// Source: linux/netfilter/nfnetlink_conntrack.h.
const CHANGE = 0x100;
const GET = 0x101;
const DELETE = 0x102;
const STATS = 0x105;
const STATS_ENTRIES = 1;
const TUPLE_ORIGINAL = 1;
const TUPLE_REPLY = 2;
const MARK = 8;
const ID = 12;
const MARK_MASK = 21;
const NESTED = 0x8000;
const TUPLE_IP = 1;
const TUPLE_PROTOCOL = 2;
const IP = { 4: { source: 1, destination: 2 }, 6: { source: 3, destination: 4 } } as const;
const PROTOCOL = { number: 1, sourcePort: 2 } as const;

/**
 * A forwarded flow as the kernel remembers it. Addresses are 4 or 16 bytes of network order.
 * `destination` and `port` are those after a Service address was translated.
 */
export interface TrackedFlow {
  readonly source: Uint8Array;
  /** The address that the client dialled. */
  readonly dialled: Uint8Array;
  readonly destination: Uint8Array;
  readonly ipProtocol: number;
  /** 0 where the protocol has none. */
  readonly port: number;
  readonly cut: boolean;
  /** The address family and the attributes that name it to the kernel. */
  readonly key: { readonly family: number; readonly original: Uint8Array; readonly id: Uint8Array };
}

/** The conntrack table of a network namespace. Not for use while a call of it is under way in another thread. */
export class Conntrack {
  readonly #fd: number;
  readonly #ring = new ReceiveRing(8, 32768); // the kernel fills up to 32 KiB a datagram of a dump

  /** @param namespace descriptor; this thread's namespace if not given. Throws SystemCallError. */
  constructor(namespace?: number) {
    this.#fd = openNetfilterSocket(namespace);
    setReadTimeout(this.#fd, 1000); // the kernel answers a dump at once
  }

  /**
   * The entries of flows that can be cut, which the rules mark as such. Throws SystemCallError.
   * Cost: a few microseconds each, and a look at each of the machine's conntrack buckets (5 ms for
   * 262,144) unless the namespace has no entry.
   */
  flows(): TrackedFlow[] {
    if (this.#count() === 0) return [];
    const cuttable = network32(FLOW_MARK.cuttable);
    const dump = new Message({ type: GET, flags: NETLINK.REQUEST | NETLINK.DUMP });
    sendAll(this.#fd, dump.attribute(MARK, cuttable).attribute(MARK_MASK, cuttable).toBytes());
    const flows: TrackedFlow[] = [];
    for (;;) {
      const end = this.#receive(true, (view, at, length) => {
        const flow = readFlow(view, at, at + length);
        if (flow) flows.push(flow);
      });
      if (end === 'done') return flows;
      if (end === 'nothing') throw new SystemCallError('dump of conntrack', ERRNO.EAGAIN ?? 0);
    }
  }

  #count(): number {
    sendAll(this.#fd, new Message({ type: STATS, flags: NETLINK.REQUEST }).toBytes());
    let count = -1;
    this.#receive(true, (view, at, length) => {
      const entriesAt = findAttribute(view, STATS_ENTRIES, at + MESSAGE_HEADER_BYTES, at + length);
      if (entriesAt >= 0) count = view.getUint32(entriesAt);
    });
    return count;
  }

  /** Marks entries as cut or lifts that mark. Entries that are gone are passed over. Throws SystemCallError. */
  mark(flows: readonly TrackedFlow[], cut: boolean): void {
    const value = network32(FLOW_MARK.cuttable | (cut ? FLOW_MARK.cut : 0));
    this.#change(
      flows.map(({ key }) =>
        new Message({ type: CHANGE, flags: NETLINK.REQUEST, family: key.family })
          .attribute(TUPLE_ORIGINAL | NESTED, key.original)
          .attribute(MARK, value),
      ),
    );
  }

  /** Forgets entries. Those that are gone are passed over. Throws SystemCallError. */
  delete(flows: readonly TrackedFlow[]): void {
    this.#change(
      flows.map(({ key }) =>
        new Message({ type: DELETE, flags: NETLINK.REQUEST, family: key.family })
          .attribute(TUPLE_ORIGINAL | NESTED, key.original)
          .attribute(ID, key.id),
      ),
    );
  }

  close(): void {
    closeFd(this.#fd);
  }

  /** The kernel acts on each message while it is sent, and answers those that failed only. */
  #change(messages: readonly Message[]): void {
    for (const message of messages) {
      sendAll(this.#fd, message.toBytes());
      this.#receive(false, () => undefined);
    }
  }

  /** Takes what is there, calling `entry` for each. Throws SystemCallError if the kernel reports an error other than ENOENT. */
  #receive(wait: boolean, entry: (view: DataView, at: number, length: number) => void): 'done' | 'more' | 'nothing' {
    const { view, slotBytes } = this.#ring;
    const count = this.#ring.receive(this.#fd, wait);
    let result: 'done' | 'more' | 'nothing' = count === 0 ? 'nothing' : 'more';
    for (let slot = 0; slot < count; slot++) {
      const end = slot * slotBytes + this.#ring.lengthOf(slot);
      for (let at = slot * slotBytes; at + 16 <= end;) {
        const length = view.getUint32(at, LITTLE_ENDIAN);
        const type = view.getUint16(at + 4, LITTLE_ENDIAN);
        if (type === NETLINK.DONE) result = 'done';
        else if (type === NETLINK.ERROR) throwUnlessGone(-view.getInt32(at + 16, LITTLE_ENDIAN));
        else entry(view, at, length);
        at += (length + 3) & ~3;
      }
    }
    return result;
  }
}

/**
 * Cuts the flows that the decider denies and revives those cut before that it allows again.
 * A cut flow keeps its entry, marked: what its client sends is judged like a first packet, and late
 * answers are dropped; without the entry one of them could count as the first packet of an allowed
 * flow the other way round, on which the client's packets would then ride. To be called when no
 * older table is in force any more. Throws SystemCallError.
 * @returns how many entries were cut and revived. Cost: as Conntrack.flows, and a decision each.
 */
export function cutDenied(conntrack: Conntrack, decider: Decider): { cut: number; revived: number } {
  const cut: TrackedFlow[] = [];
  const revived: TrackedFlow[] = [];
  for (const flow of conntrack.flows()) {
    const denied = decideFlow(decider, flow) !== 0;
    if (denied && !flow.cut) cut.push(flow);
    if (!denied && flow.cut) revived.push(flow);
  }
  conntrack.mark(cut, true);
  // TCP goes on where it was cut; other flows as soon as the gate accepts a packet of theirs, see firewall.ts. They are
  // not forgotten, as a late answer could open them in reverse, and the client's packets would ride on that; those to
  // a Service are, as its endpoint may be another by now.
  const isTcp = ({ ipProtocol }: TrackedFlow): boolean => ipProtocol === IP_PROTOCOL.TCP;
  const isTranslated = ({ dialled, destination }: TrackedFlow): boolean =>
    dialled.some((byte, index) => byte !== destination[index]);
  conntrack.mark(revived.filter(isTcp), false);
  conntrack.delete(revived.filter((flow) => !isTcp(flow) && isTranslated(flow)));
  return { cut: cut.length, revived: revived.length };
}

/** The Decider's bits for a flow. Cost: as the decision, and two small allocations. */
export function decideFlow(
  decider: Decider,
  { source, destination, ipProtocol, port }: Pick<TrackedFlow, 'source' | 'destination' | 'ipProtocol' | 'port'>,
): number {
  const bytes = new Uint8Array([...source, ...destination]);
  if (source.length === 16) return decider.decide6(bytes, 0, 16, ipProtocol, port);
  const view = new DataView(bytes.buffer);
  return decider.decide4(view.getUint32(0), view.getUint32(4), ipProtocol, port);
}

/** @returns undefined if it is no entry, or one without addresses. */
function readFlow(view: DataView, at: number, end: number): TrackedFlow | undefined {
  if (view.getUint16(at + 4, LITTLE_ENDIAN) !== CHANGE) return undefined;
  const entry = { at: at + MESSAGE_HEADER_BYTES, end };
  const original = within(view, entry, TUPLE_ORIGINAL);
  const reply = within(view, entry, TUPLE_REPLY);
  const id = within(view, entry, ID);
  const mark = within(view, entry, MARK);
  if (!original || !reply || !id) return undefined;
  const source = addressIn(view, original, 'source');
  const dialled = addressIn(view, original, 'destination');
  const destination = addressIn(view, reply, 'source');
  const protocol = within(view, reply, TUPLE_PROTOCOL);
  if (!source || !dialled || !destination || !protocol) return undefined;
  const number = within(view, protocol, PROTOCOL.number);
  const port = within(view, protocol, PROTOCOL.sourcePort);
  if (!number) return undefined;
  return {
    source,
    dialled,
    destination,
    ipProtocol: view.getUint8(number.at),
    port: port ? view.getUint16(port.at) : 0,
    cut: mark !== undefined && (view.getUint32(mark.at) & FLOW_MARK.cut) !== 0,
    key: { family: view.getUint8(at + 16), original: copy(view, original), id: copy(view, id) },
  };
}

/** Where an attribute's value lies. */
interface Span {
  readonly at: number;
  readonly end: number;
}

/** Where the attribute's value lies among those of the span. */
function within(view: DataView, span: Span, type: number): Span | undefined {
  const at = findAttribute(view, type, span.at, span.end);
  return at < 0 ? undefined : { at, end: attributeEnd(view, at) };
}

function addressIn(view: DataView, tuple: Span, role: 'source' | 'destination'): Uint8Array | undefined {
  const ip = within(view, tuple, TUPLE_IP);
  const address = ip && (within(view, ip, IP[4][role]) ?? within(view, ip, IP[6][role]));
  return address && copy(view, address);
}

function copy(view: DataView, { at, end }: Span): Uint8Array {
  return new Uint8Array(view.buffer.slice(view.byteOffset + at, view.byteOffset + end));
}

function throwUnlessGone(code: number): void {
  if (code !== 0 && code !== ERRNO.ENOENT) throw new SystemCallError('changing conntrack', code);
}
