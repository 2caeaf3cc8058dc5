import koffi from 'koffi';
import { toBytes, type Family, type IpAddress } from '../net/ip.ts';

// Constants of Linux on x64 and arm64. Source: the kernel's uapi headers.
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
/** Level of socket options that all kinds of sockets have. */
export const SOL_SOCKET = 1;
/** An option of sockets by which urgent bytes stay among the others. */
export const SO_OOBINLINE = 10;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const O_RDONLY = 0;
const O_CLOEXEC = 0o2000000;
const CLONE_NEWNET = 0x40000000;

const library = koffi.load(null);

/** Calls of the C library by their own names: -1 is a failure, and errno() says which. */
export const libc = {
  socket: library.func('int socket(int domain, int type, int protocol)') as (
    domain: number,
    type: number,
    protocol: number,
  ) => number,
  bind: library.func('int bind(int fd, void *address, uint32_t length)') as (
    fd: number,
    address: Uint8Array,
    length: number,
  ) => number,
  getsockname: library.func('int getsockname(int fd, void *address, void *length)') as (
    fd: number,
    address: Uint8Array,
    length: Uint32Array,
  ) => number,
  setsockopt: library.func('int setsockopt(int fd, int level, int option, void *value, uint32_t length)') as (
    fd: number,
    level: number,
    option: number,
    value: Uint8Array,
    length: number,
  ) => number,
  send: library.func('long send(int fd, void *bytes, size_t length, int flags)') as (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
  ) => number,
  sendto: library.func(
    'long sendto(int fd, void *bytes, size_t length, int flags, void *address, uint32_t addressLength)',
  ) as (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ) => number,
  recv: library.func('long recv(int fd, void *bytes, size_t length, int flags)') as (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
  ) => number,
  recvmmsg: library.func('int recvmmsg(int fd, void *headers, uint32_t count, int flags, void *timeout)') as (
    fd: number,
    headers: Uint8Array,
    count: number,
    flags: number,
    timeout: null,
  ) => number,
  madvise: library.func('int madvise(uint64_t at, size_t length, int advice)') as (
    at: number,
    length: number,
    advice: number,
  ) => number,
  flock: library.func('int flock(int fd, int operation)') as (fd: number, operation: number) => number,
  sched_yield: library.func('int sched_yield()') as () => number,
  open: library.func('int open(const char *path, int flags)') as (path: string, flags: number) => number,
  ioctl: library.func('int ioctl(int fd, unsigned long request, void *argument)') as (
    fd: number,
    request: number,
    argument: Int32Array | Uint16Array,
  ) => number,
  /** ioctl() for requests whose argument is a number. */
  ioctlNumber: library.func('ioctl', 'int', ['int', 'unsigned long', 'long']) as (
    fd: number,
    request: number,
    argument: number,
  ) => number,
  close: library.func('int close(int fd)') as (fd: number) => number,
  setns: library.func('int setns(int fd, int kind)') as (fd: number, kind: number) => number,
  unshare: library.func('int unshare(int kinds)') as (kinds: number) => number,
};

/** Why the last call on this thread failed: an errno number. */
export function errno(): number {
  return koffi.errno();
}

/** Errno numbers that callers tell apart. */
export const ERRNO = koffi.os.errno;

/** Where the bytes lie in memory, for structures that hold pointers. They must be an ArrayBuffer's own, which V8 never moves. */
export function addressOf(bytes: ArrayBuffer): bigint {
  return koffi.address(bytes);
}

/** A call of the C library that failed. `code` is the errno's name, as in Node's own errors. */
export class SystemCallError extends Error {
  readonly code: string;
  readonly syscall: string;

  constructor(syscall: string, number = errno()) {
    const code = Object.entries(ERRNO).find(([, value]) => value === number)?.[0] ?? `errno ${number}`;
    super(`${syscall} failed: ${code}`);
    this.name = 'SystemCallError';
    this.code = code;
    this.syscall = syscall;
  }
}

/** The result of a call, or a SystemCallError if it is -1. */
export function checked(syscall: string, result: number): number {
  if (result < 0) throw new SystemCallError(syscall);
  return result;
}

/** Closes a descriptor. One that is not open is a bug: its number may be somebody else's by now. */
export function closeFd(fd: number): void {
  checked('close', libc.close(fd));
}

/** A descriptor of a namespace file such as /proc/PID/ns/net. Throws SystemCallError. */
export function openNamespace(path: string): number {
  return checked(`open ${path}`, libc.open(path, O_RDONLY | O_CLOEXEC));
}

/**
 * Runs synchronous work with this thread in another network namespace.
 * Sockets made and processes spawned in it belong there for good; /proc/sys/net is that namespace's.
 * Nothing asynchronous but these may start in it: a thread started meanwhile would stay there.
 * @param namespace descriptor of a network namespace.
 * Throws SystemCallError if it cannot be entered. Ends the process if there is no way back. Cost: about 10 µs.
 */
export function inNamespace<T>(namespace: number, work: () => T): T {
  const home = openNamespace('/proc/thread-self/ns/net');
  try {
    checked('setns', libc.setns(namespace, CLONE_NEWNET));
    try {
      return work();
    } finally {
      returnTo(home);
    }
  } finally {
    closeFd(home);
  }
}

/**
 * Takes this thread into another network namespace for good. For a worker that does nothing else.
 * @param namespace descriptor of a network namespace. Throws SystemCallError.
 */
export function enterNamespace(namespace: number): void {
  checked('setns', libc.setns(namespace, CLONE_NEWNET));
}

/** A fresh, empty network namespace; it lives as long as its descriptor, a process or a mount holds it. Throws SystemCallError. */
export function newNetworkNamespace(): number {
  const home = openNamespace('/proc/thread-self/ns/net');
  try {
    checked('unshare', libc.unshare(CLONE_NEWNET));
    try {
      return openNamespace('/proc/thread-self/ns/net');
    } finally {
      returnTo(home);
    }
  } finally {
    closeFd(home);
  }
}

/** What a socket is to be bound to. `namespace` is a descriptor, undefined for this thread's own; a family instead of an address means any address of it. */
export interface Binding {
  readonly namespace: number | undefined;
  readonly type: 'tcp' | 'udp';
  readonly address: IpAddress | Family;
  readonly port: number;
}

/**
 * A bound socket in a network namespace, for `net.Server.listen({ fd })`, which listens on it, or
 * `dgram.Socket.bind({ fd })`; either owns the descriptor from then on. IPv6 sockets take IPv6 only.
 * Throws SystemCallError, such as EADDRINUSE.
 */
export function boundSocket({ namespace, type, address, port }: Binding): number {
  const family = typeof address === 'number' ? address : address.family;
  const name = socketAddress(family, typeof address === 'number' ? [] : toBytes(address.words), port);
  const make = (): number =>
    withSocket(type, family, (fd) => {
      setNumber(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      if (family === 6) setNumber(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
      checked('bind', libc.bind(fd, name, name.length));
    });
  return namespace === undefined ? make() : inNamespace(namespace, make);
}

/**
 * An unconnected socket in a network namespace, this thread's if none is given, for `new net.Socket({ fd }).connect(…)` or
 * `dgram.Socket.bind({ fd })`. Connect at once: Node polls an unconnected TCP socket as hung up.
 * Throws SystemCallError.
 */
export function plainSocket(options: { namespace: number | undefined; type: 'tcp' | 'udp'; family: Family }): number {
  const { namespace, type, family } = options;
  const make = (): number => withSocket(type, family, () => undefined);
  return namespace === undefined ? make() : inNamespace(namespace, make);
}

/** Sends a datagram from a UDP socket of IPv4, at once. @returns whether the kernel took it. */
export function sendDatagram(
  fd: number,
  to: { readonly address: readonly number[]; readonly port: number },
  payload: Uint8Array,
): boolean {
  const name = socketAddress(4, to.address, to.port);
  return libc.sendto(fd, payload, payload.length, 0, name, name.length) === payload.length;
}

/** Sets an integer socket option. Throws SystemCallError. */
export function setNumber(fd: number, level: number, option: number, value: number): void {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  checked('setsockopt', libc.setsockopt(fd, level, option, bytes, bytes.length));
}

function withSocket(type: 'tcp' | 'udp', family: Family, prepare: (fd: number) => void): number {
  const kind = (type === 'tcp' ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = checked('socket', libc.socket(family === 4 ? AF_INET : AF_INET6, kind, 0));
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** struct sockaddr_in (16 bytes) or sockaddr_in6 (28): family in host order, port and address in network order. */
function socketAddress(family: Family, address: readonly number[], port: number): Uint8Array {
  const bytes = new Uint8Array(family === 4 ? 16 : 28);
  new Uint16Array(bytes.buffer)[0] = family === 4 ? AF_INET : AF_INET6;
  new DataView(bytes.buffer).setUint16(2, port);
  bytes.set(address, family === 4 ? 4 : 8);
  return bytes;
}

/** Brings this thread back. What runs in a wrong namespace could bypass every policy, so there is no going on without. */
function returnTo(home: number): void {
  if (libc.setns(home, CLONE_NEWNET) < 0) process.abort();
}
