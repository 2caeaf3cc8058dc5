import {
  addressOf,
  checked,
  closeFd,
  errno,
  ERRNO,
  inNamespace,
  libc,
  setNumber,
  SOL_SOCKET,
  SystemCallError,
} from './libc.ts';

// Source: linux/netlink.h, linux/netfilter/nfnetlink.h.
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_NETFILTER = 12;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_NO_ENOBUFS = 5;
const MSG_DONTWAIT = 0x40;
const MSG_WAITFORONE = 0x10000;
const NESTED_MASK = 0x3fff; // the two upper bits of an attribute's type are flags

/** Kinds and flags of netlink messages. */
export const NETLINK = { ERROR: 2, DONE: 3, REQUEST: 1, ACK: 4, DUMP: 0x300 } as const;

/** Bytes of a message before its attributes: struct nlmsghdr and struct nfgenmsg. */
export const MESSAGE_HEADER_BYTES = 20;

/** Netlink speaks the machine's byte order, but for what is documented as network order. */
export const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * A netfilter netlink socket of a network namespace, or of this thread's if none is given.
 * Throws SystemCallError.
 */
export function openNetfilterSocket(namespace?: number): number {
  const open = (): number => checked('socket', libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  const fd = namespace === undefined ? open() : inNamespace(namespace, open);
  try {
    const name = new Uint8Array(12); // struct sockaddr_nl: the kernel gives it a port
    new Uint16Array(name.buffer)[0] = AF_NETLINK;
    checked('bind', libc.bind(fd, name, name.length));
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** Makes reading wait no longer than this. Throws SystemCallError. */
export function setReadTimeout(fd: number, timeoutMs: number): void {
  const timeval = BigInt64Array.of(BigInt(Math.floor(timeoutMs / 1000)), BigInt((timeoutMs % 1000) * 1000));
  const bytes = new Uint8Array(timeval.buffer);
  checked('setsockopt', libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, bytes, bytes.length));
}

/**
 * Asks for a large receive buffer, and for silence about packets that did not fit: they are dropped.
 * A rootless process gets what net.core.rmem_max allows.
 */
export function setReadBuffer(fd: number, size: number): void {
  setNumber(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1);
  const bytes = new Uint8Array(Int32Array.of(size).buffer);
  if (libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes, bytes.length) < 0) {
    setNumber(fd, SOL_SOCKET, SO_RCVBUF, size);
  }
}

/** One netlink message under construction. Numbers inside attributes are in network order. */
export class Message {
  readonly #bytes: number[] = [];

  /** @param resource nfgenmsg's res_id: a queue number, else 0. */
  constructor(options: { type: number; flags: number; family?: number; resource?: number }) {
    const { type, flags, family = 0, resource = 0 } = options;
    this.#bytes.push(...host32(0), ...host16(type), ...host16(flags), ...host32(0), ...host32(0));
    this.#bytes.push(family, 0, resource >>> 8, resource & 255);
  }

  /** Appends an attribute of these bytes, padded to four. */
  attribute(type: number, value: Iterable<number>): this {
    const bytes = [...value];
    this.#bytes.push(...host16(bytes.length + 4), ...host16(type), ...bytes);
    while (this.#bytes.length % 4 !== 0) this.#bytes.push(0);
    return this;
  }

  /** The message, its length filled in. */
  toBytes(): Uint8Array {
    return Uint8Array.from([...host32(this.#bytes.length), ...this.#bytes.slice(4)]);
  }
}

/** A number as four bytes in network order. */
export function network32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function host32(value: number): number[] {
  return [...new Uint8Array(Uint32Array.of(value).buffer)];
}

function host16(value: number): number[] {
  return [...new Uint8Array(Uint16Array.of(value).buffer)];
}

/** Sends messages that lie one behind the other; the kernel has acted on all when this returns. Throws SystemCallError. */
export function sendAll(fd: number, bytes: Uint8Array, length = bytes.length): void {
  for (;;) {
    if (libc.send(fd, bytes, length, 0) === length) return;
    if (errno() !== ERRNO.EINTR) throw new SystemCallError('send');
  }
}

/** Sends one message with the ACK flag and waits for the answer. Throws SystemCallError with the kernel's errno. */
export function request(fd: number, message: Message, what: string): void {
  sendAll(fd, message.toBytes());
  const answer = new Uint8Array(8192);
  const view = new DataView(answer.buffer);
  for (;;) {
    const length = checked('recv', libc.recv(fd, answer, answer.length, 0));
    if (length < MESSAGE_HEADER_BYTES || view.getUint16(4, LITTLE_ENDIAN) !== NETLINK.ERROR) continue;
    const code = -view.getInt32(16, LITTLE_ENDIAN);
    if (code !== 0) throw new SystemCallError(what, code);
    return;
  }
}

/** Room for many datagrams, filled by one recvmmsg(2). Datagram `i` starts at `i * slotBytes`. */
export class ReceiveRing {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly slotBytes: number;
  readonly #slots: number;
  readonly #headers: Uint8Array;
  readonly #headerView: DataView;
  // Held because #headers points into it.
  readonly #vectors: BigUint64Array<ArrayBuffer>;

  constructor(slots: number, slotBytes: number) {
    this.#slots = slots;
    this.slotBytes = slotBytes;
    this.bytes = new Uint8Array(slots * slotBytes);
    this.view = new DataView(this.bytes.buffer);
    this.#vectors = new BigUint64Array(slots * 2);
    this.#headers = new Uint8Array(slots * MMSGHDR_BYTES);
    this.#headerView = new DataView(this.#headers.buffer);
    const bytesAt = addressOf(this.view.buffer as ArrayBuffer);
    const vectorsAt = addressOf(this.#vectors.buffer);
    for (let slot = 0; slot < slots; slot++) {
      this.#vectors[slot * 2] = bytesAt + BigInt(slot * slotBytes);
      this.#vectors[slot * 2 + 1] = BigInt(slotBytes);
      this.#headerView.setBigUint64(slot * MMSGHDR_BYTES + 16, vectorsAt + BigInt(slot * 16), LITTLE_ENDIAN);
      this.#headerView.setBigUint64(slot * MMSGHDR_BYTES + 24, 1n, LITTLE_ENDIAN);
    }
  }

  /** Takes what is there; with `wait` waits for the first, as long as the socket's timeout. @returns how many; 0 if none came. Throws SystemCallError. */
  receive(fd: number, wait: boolean): number {
    const count = libc.recvmmsg(fd, this.#headers, this.#slots, wait ? MSG_WAITFORONE : MSG_DONTWAIT, null);
    if (count >= 0) return count;
    const code = errno();
    if (code === ERRNO.EAGAIN || code === ERRNO.EINTR || code === ERRNO.ENOBUFS) return 0;
    throw new SystemCallError('recvmmsg', code);
  }

  /** Bytes received into a slot. */
  lengthOf(slot: number): number {
    return this.#headerView.getUint32(slot * MMSGHDR_BYTES + 56, LITTLE_ENDIAN);
  }
}

// struct mmsghdr on 64 bits: name 8, its length 8, iovec pointer at 16, count at 24, control 16, flags 8, length at 56.
const MMSGHDR_BYTES = 64;

/**
 * Where an attribute's value starts among the attributes from `at` to `end`, or -1.
 * Its length is that of the attribute less 4; see attributeEnd.
 */
export function findAttribute(view: DataView, type: number, at: number, end: number): number {
  let here = at;
  while (here + 4 <= end) {
    const length = view.getUint16(here, LITTLE_ENDIAN);
    if (length < 4 || here + length > end) return -1;
    if ((view.getUint16(here + 2, LITTLE_ENDIAN) & NESTED_MASK) === type) return here + 4;
    here += (length + 3) & ~3;
  }
  return -1;
}

/** Where the attribute ends whose value starts at `valueAt`. */
export function attributeEnd(view: DataView, valueAt: number): number {
  return valueAt - 4 + view.getUint16(valueAt - 4, LITTLE_ENDIAN);
}
