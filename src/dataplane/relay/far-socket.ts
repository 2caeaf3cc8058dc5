import { readFileSync } from 'node:fs';
import { parseIp, toBytes, type Family } from '../../net/ip.ts';
import { invariant } from '../../model/invariant.ts';
import { Area, calls } from '../calls.ts';
import { closeFd, errno, ERRNO, SO_OOBINLINE, SOL_SOCKET } from '../libc.ts';
import { LITTLE_ENDIAN } from '../netlink.ts';
import type { Connections } from './connections.ts';
import { RELAY_ADDRESS, RELAY_MARK } from './relay-marks.ts';

const AF = { 4: 2, 6: 10 } as const;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_LINGER = 13;
const SO_MARK = 36;
const IPPROTO_IP = 0;
const IP_BIND_ADDRESS_NO_PORT = 24;
const IP_LOCAL_PORT_RANGE = 51; // of Linux 6.3; before, the far side sees another port
const IPPROTO_IPV6 = 41;
const IPV6_FREEBIND = 78;
const NAME_BYTES = { 4: 16, 6: 28 } as const; // struct sockaddr_in, sockaddr_in6
const ADDRESS_AT = { 4: 4, 6: 8 } as const;

/** The relay's sockets towards the far side. */
export class FarSockets {
  readonly #connections: Connections;
  readonly #value = new Area(8);
  readonly #length = new Area(4);
  readonly #own: Readonly<Record<Family, Area>> = { 4: ownName(4), 6: ownName(6) };
  readonly #far: Readonly<Record<Family, Area>> = { 4: name(4), 6: name(6) };

  // Ports that the kernel chooses from for those who name none.
  readonly #firstFree: number;
  readonly #lastFree: number;

  constructor(connections: Connections) {
    this.#connections = connections;
    const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const [first = 0, last = 0] = range.split(/\s+/).map(Number);
    this.#firstFree = first;
    this.#lastFree = last;
  }

  /**
   * Begins to dial for a connection, from the client's own port unless a socket of the relay still has it for the same
   * destination, or somebody in the pod listens at it. @returns the descriptor, or what went wrong as a negative errno.
   */
  dial(slot: number): number {
    const port = this.#connections.sourcePort[slot] ?? 0;
    const isFree = port >= this.#firstFree && port <= this.#lastFree;
    let fd = this.#dialFrom(slot, port, isFree ? 'connect' : 'bind');
    // What the client has bound, connect() does not take.
    if (TAKEN.has(-fd) && isFree) fd = this.#dialFrom(slot, port, 'bind');
    return TAKEN.has(-fd) ? this.#dialFrom(slot, 0, 'connect') : fd;
  }

  /** Why the last thing on this socket failed: an errno, 0 if nothing has. */
  failure(fd: number): number {
    this.#length.view.setUint32(0, 4, LITTLE_ENDIAN);
    if (calls.getsockopt(fd, SOL_SOCKET, SO_ERROR, this.#value.at, this.#length.at) < 0) return errno();
    return this.#value.view.getInt32(0, LITTLE_ENDIAN);
  }

  /** Closes either side's socket with a reset instead of an end. */
  reset(fd: number): void {
    this.#value.view.setInt32(0, 1, LITTLE_ENDIAN); // struct linger: on, 0 seconds
    this.#value.view.setInt32(4, 0, LITTLE_ENDIAN);
    calls.setsockopt(fd, SOL_SOCKET, SO_LINGER, this.#value.at, 8);
    closeFd(fd);
  }

  /** @param by the call that takes the port. */
  #dialFrom(slot: number, sourcePort: number, by: 'bind' | 'connect'): number {
    const family: Family = this.#connections.family[slot] === 4 ? 4 : 6;
    const fd = calls.socket(AF[family], SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno();
    const own = this.#own[family];
    const far = this.#far[family];
    own.view.setUint16(2, by === 'bind' ? sourcePort : 0);
    far.view.setUint16(2, this.#connections.dialledPort[slot] ?? 0);
    far.bytes.set(this.#connections.dialled(slot), ADDRESS_AT[family]);
    const isBound =
      this.#set(fd, SOL_SOCKET, SO_MARK, RELAY_MARK.dial | slot) &&
      this.#set(fd, SOL_SOCKET, SO_OOBINLINE, 1) &&
      (by === 'bind' ? this.#set(fd, SOL_SOCKET, SO_REUSEADDR, 1) : this.#leavePort(fd, sourcePort)) &&
      (family === 4 || this.#set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1)) &&
      calls.bind(fd, own.at, NAME_BYTES[family]) >= 0;
    const code = isBound ? connect(fd, far) : errno();
    if (code === 0) return fd;
    closeFd(fd);
    return -code;
  }

  /**
   * Lets the kernel choose the port at connect(), from this one alone unless it is 0. A port that bind() takes is kept
   * from all who let the kernel choose, whatever their destination, until a minute after the connection's end.
   */
  #leavePort(fd: number, port: number): boolean {
    if (port !== 0) this.#set(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, (port << 16) | port);
    return this.#set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  }

  #set(fd: number, level: number, option: number, value: number): boolean {
    this.#value.view.setInt32(0, value, LITTLE_ENDIAN);
    return calls.setsockopt(fd, level, option, this.#value.at, 4) >= 0;
  }
}

/** Begins to connect. @returns 0, or an errno. */
function connect(fd: number, to: Area): number {
  for (;;) {
    if (calls.connect(fd, to.at, to.bytes.length) >= 0) return 0;
    const code = errno();
    if (UNDER_WAY.has(code)) return 0;
    // Not from connect() of TCP: the engine has made a call of its own since, so it is asked again.
    if (code !== ERRNO.EAGAIN) return code;
  }
}

const UNDER_WAY: ReadonlySet<number | undefined> = new Set([ERRNO.EINPROGRESS, ERRNO.EALREADY, ERRNO.EISCONN]);

// Another socket has the port for this destination, or only a privileged process may have it.
const TAKEN: ReadonlySet<number | undefined> = new Set([ERRNO.EADDRNOTAVAIL, ERRNO.EADDRINUSE, ERRNO.EACCES]);

function name(family: Family): Area {
  const area = new Area(NAME_BYTES[family]);
  area.view.setUint16(0, AF[family], LITTLE_ENDIAN);
  return area;
}

function ownName(family: Family): Area {
  const address = parseIp(RELAY_ADDRESS[family]);
  invariant(address, 'the relay has an address');
  const area = name(family);
  area.bytes.set(toBytes(address.words), ADDRESS_AT[family]);
  return area;
}
