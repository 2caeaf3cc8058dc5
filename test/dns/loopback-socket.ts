import koffi from 'koffi';

// Constants of Linux on x64 and arm64. Source: the kernel's uapi headers.
const FAMILY = { 4: 2, 6: 10 };
const KIND = { tcp: 1, udp: 2 };
const SOCK_CLOEXEC = 0o2000000;
const EADDRINUSE = koffi.os.errno.EADDRINUSE;

const library = koffi.load(null);
const socket = library.func('int socket(int domain, int type, int protocol)') as (...args: number[]) => number;
const bind = library.func('int bind(int fd, void *address, uint32_t length)') as SocketName<number>;
const getsockname = library.func('int getsockname(int fd, void *address, void *length)') as SocketName<Uint32Array>;
const close = library.func('int close(int fd)') as (fd: number) => number;

type SocketName<Length> = (fd: number, address: Uint8Array, length: Length) => number;

/** A socket bound to a loopback address, such as a lab hands over. It is the caller's to close. */
export interface BoundSocket {
  readonly fd: number;
  readonly port: number;
}

/** Sockets of one port, for the server under test to take over. */
export interface PortSockets {
  readonly port: number;
  readonly udp: number;
  readonly tcp: number;
}

/** A UDP and a TCP socket on one free port of 127.0.0.1 or ::1. */
export function portSockets(family: 4 | 6 = 4): PortSockets {
  for (;;) {
    const tcp = boundSocket('tcp', family);
    const udp = tryBind('udp', family, tcp.port);
    if (udp) return { port: tcp.port, udp: udp.fd, tcp: tcp.fd };
    // Another program has that port for UDP; the kernel gives the next one.
    closeSocket(tcp.fd);
  }
}

/** A socket on a free port. */
export function boundSocket(kind: 'tcp' | 'udp', family: 4 | 6): BoundSocket {
  const bound = tryBind(kind, family, 0);
  if (!bound) throw new Error('no port is free');
  return bound;
}

/** Closes a socket that no server took over. */
export function closeSocket(fd: number): void {
  close(fd);
}

function tryBind(kind: 'tcp' | 'udp', family: 4 | 6, port: number): BoundSocket | undefined {
  const fd = socket(FAMILY[family], KIND[kind] | SOCK_CLOEXEC, 0);
  const name = socketAddress(family, port);
  if (bind(fd, name, name.length) < 0) {
    const code = koffi.errno();
    close(fd);
    if (code === EADDRINUSE) return undefined;
    throw new Error(`bind failed with errno ${code}`);
  }
  getsockname(fd, name, Uint32Array.of(name.length));
  return { fd, port: new DataView(name.buffer).getUint16(2) };
}

/** struct sockaddr_in or sockaddr_in6 of the loopback address. */
function socketAddress(family: 4 | 6, port: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(family === 4 ? 16 : 28);
  new Uint16Array(bytes.buffer)[0] = FAMILY[family];
  new DataView(bytes.buffer).setUint16(2, port);
  if (family === 4) bytes.set([127, 0, 0, 1], 4);
  else bytes[23] = 1;
  return bytes;
}
