import { LabError } from '../model/lab-error.ts';
import { closeFd, SystemCallError } from './libc.ts';
import {
  attributeEnd,
  findAttribute,
  LITTLE_ENDIAN,
  Message,
  MESSAGE_HEADER_BYTES,
  NETLINK,
  network32,
  openNetfilterSocket,
  request,
  sendAll,
  setReadBuffer,
  setReadTimeout,
} from './netlink.ts';

// Source: linux/netfilter/nfnetlink_queue.h.
const PACKET = 0x300;
const VERDICT = 0x301;
const CONFIG = 0x302;
const CONFIG_COMMAND = 1;
const CONFIG_PARAMS = 2;
const CONFIG_QUEUE_LENGTH = 3;
const CONFIG_MASK = 4;
const CONFIG_FLAGS = 5;
const BIND = 1;
const UNBIND = 2;
const COPY_PACKET = 2;
const FLAG_FAIL_OPEN = 1;
const FLAG_GSO = 4;
const ATTRIBUTE_PACKET_HEADER = 1;
const ATTRIBUTE_VERDICT = 2;
const ATTRIBUTE_MARK = 3;
const ATTRIBUTE_INTERFACE_OUT = 6;
const ATTRIBUTE_PAYLOAD = 10;
const NF_DROP = 0;
const NF_ACCEPT = 1;

// An IPv6 header, more extension headers than any sane packet has, and ports. Longer ones are dropped.
const COPY_BYTES = 256;
// Bytes of a message with that much payload: under 400. recvmmsg cuts off what is longer; it is dropped.
export const PACKET_MESSAGE_BYTES = 1024;
// About as many first packets as the receive buffer holds; what overflows either is dropped.
const QUEUE_LENGTH = 8192;
const READ_BUFFER_BYTES = 8 << 20;
// The kernel answers at once.
const READ_TIMEOUT_MS = 200;
const ETHERTYPE = { IPV4: 0x0800, IPV6: 0x86dd } as const;

/**
 * A socket that owns a queue of both families: packets come as messages of PACKET_MESSAGE_BYTES at
 * most. As soon as it is closed the kernel drops what is queued.
 * @param namespace descriptor; this thread's if not given. Throws LabError if the kernel does not let this process have it.
 */
export function takeQueue(queue: number, namespace: number | undefined): number {
  try {
    return openQueue(queue, namespace);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    const message =
      error.code === 'EBUSY' || error.code === 'EPERM'
        ? `another process or lab holds packet queue ${queue} of this namespace, or root is missing in it`
        : 'this kernel hands no packets to programs: it needs nfnetlink_queue (modprobe nfnetlink_queue)';
    throw new LabError('environment', `${message} (${error.message})`, { cause: error });
  }
}

/** Throws SystemCallError: EPERM without CAP_NET_ADMIN, EBUSY if the queue has an owner. */
function openQueue(queue: number, namespace?: number): number {
  const fd = openNetfilterSocket(namespace);
  try {
    setReadBuffer(fd, READ_BUFFER_BYTES);
    setReadTimeout(fd, READ_TIMEOUT_MS);
    const config = (): Message => new Message({ type: CONFIG, flags: NETLINK.REQUEST | NETLINK.ACK, resource: queue });
    request(fd, config().attribute(CONFIG_COMMAND, [BIND, 0, 0, 0]), `binding queue ${queue}`);
    const limits = config()
      .attribute(CONFIG_PARAMS, [...network32(COPY_BYTES), COPY_PACKET])
      .attribute(CONFIG_QUEUE_LENGTH, network32(QUEUE_LENGTH))
      // GSO: datagrams that were sent as one are judged as one. FAIL_OPEN is masked to stay off.
      .attribute(CONFIG_MASK, network32(FLAG_FAIL_OPEN | FLAG_GSO))
      .attribute(CONFIG_FLAGS, network32(FLAG_GSO));
    request(fd, limits, `setting up queue ${queue}`);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** Gives the queue up, which drops what is in it, and wakes its reader with the kernel's answer. Throws SystemCallError. */
export function unbindQueue(fd: number, queue: number): void {
  const message = new Message({ type: CONFIG, flags: NETLINK.REQUEST | NETLINK.ACK, resource: queue });
  sendAll(fd, message.attribute(CONFIG_COMMAND, [UNBIND, 0, 0, 0]).toBytes());
}

/** Where in the kernel a packet was queued. Source: linux/netfilter.h. */
export const HOOK = { output: 3, postrouting: 4 } as const;

/**
 * A queued packet in a receive buffer. `payloadAt` is -1 if it is no whole IP packet of a known kind: to be
 * dropped. `mark` and `interface`, the index of the one that it leaves by, are 0 for none.
 */
export interface QueuedPacket {
  id: number;
  hook: number;
  mark: number;
  interface: number;
  payloadAt: number;
  payloadEnd: number;
}

/** A packet to be filled by readQueued. */
export function emptyQueued(): QueuedPacket {
  return { id: 0, hook: 0, mark: 0, interface: 0, payloadAt: -1, payloadEnd: -1 };
}

/** Reads the message of `length` bytes at `at`. @returns false if it is no packet. Cost: some 100 ns, no allocation. */
export function readQueued(view: DataView, at: number, length: number, packet: QueuedPacket): boolean {
  if (length < MESSAGE_HEADER_BYTES || view.getUint16(at + 4, LITTLE_ENDIAN) !== PACKET) return false;
  const end = at + Math.min(length, view.getUint32(at, LITTLE_ENDIAN));
  const attributesAt = at + MESSAGE_HEADER_BYTES;
  const headerAt = findAttribute(view, ATTRIBUTE_PACKET_HEADER, attributesAt, end);
  if (headerAt < 0) return false;
  packet.id = view.getUint32(headerAt);
  packet.hook = view.getUint8(headerAt + 6);
  packet.mark = readWord(view, ATTRIBUTE_MARK, attributesAt, end);
  packet.interface = readWord(view, ATTRIBUTE_INTERFACE_OUT, attributesAt, end);
  packet.payloadAt = -1;
  packet.payloadEnd = -1;
  const payloadAt = findAttribute(view, ATTRIBUTE_PAYLOAD, attributesAt, end);
  if (payloadAt < 0) return true;
  const payloadEnd = attributeEnd(view, payloadAt);
  const ethertype = view.getUint16(headerAt + 4);
  const version = payloadEnd > payloadAt ? view.getUint8(payloadAt) >>> 4 : 0;
  const known = (ethertype === ETHERTYPE.IPV4 && version === 4) || (ethertype === ETHERTYPE.IPV6 && version === 6);
  if (known) {
    packet.payloadAt = payloadAt;
    packet.payloadEnd = payloadEnd;
  }
  return true;
}

function readWord(view: DataView, attribute: number, at: number, end: number): number {
  const wordAt = findAttribute(view, attribute, at, end);
  return wordAt < 0 ? 0 : view.getUint32(wordAt);
}

/** Verdicts that are collected and sent in one go. */
export class VerdictBatch {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #queue: number;
  #length = 0;

  /** @param capacity how many verdicts it takes before it must be sent. */
  constructor(queue: number, capacity: number) {
    this.#queue = queue;
    this.#bytes = new Uint8Array(capacity * VERDICT_BYTES);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** The packet is gone. */
  drop(id: number): void {
    this.#add(id, NF_DROP, 0);
  }

  /** The packet goes on to the next chain, with a mark unless it is 0. */
  accept(id: number, mark: number): void {
    this.#add(id, NF_ACCEPT, mark);
  }

  /** Sends what was collected. Accepted packets have left the node's chains when this returns. Throws SystemCallError. */
  send(fd: number): void {
    if (this.#length > 0) sendAll(fd, this.#bytes, this.#length);
    this.#length = 0;
  }

  /** How many more verdicts it takes at least. */
  get room(): number {
    return (this.#bytes.length - this.#length) / VERDICT_BYTES;
  }

  #add(id: number, verdict: number, mark: number): void {
    const view = this.#view;
    const at = this.#length;
    const length = mark === 0 ? VERDICT_BYTES - 8 : VERDICT_BYTES;
    view.setUint32(at, length, LITTLE_ENDIAN);
    view.setUint16(at + 4, VERDICT, LITTLE_ENDIAN);
    view.setUint16(at + 6, NETLINK.REQUEST, LITTLE_ENDIAN);
    view.setUint16(at + 18, this.#queue);
    view.setUint16(at + 20, 12, LITTLE_ENDIAN);
    view.setUint16(at + 22, ATTRIBUTE_VERDICT, LITTLE_ENDIAN);
    view.setUint32(at + 24, verdict);
    view.setUint32(at + 28, id);
    if (mark !== 0) {
      view.setUint16(at + 32, 8, LITTLE_ENDIAN);
      view.setUint16(at + 34, ATTRIBUTE_MARK, LITTLE_ENDIAN);
      view.setUint32(at + 36, mark);
    }
    this.#length += length;
  }
}

// Header 20, verdict attribute 12, mark attribute 8.
const VERDICT_BYTES = 40;
