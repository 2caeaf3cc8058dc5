import { parseIp, type Family } from '../../net/ip.ts';
import { invariant } from '../../model/invariant.ts';
import { boundSocket, checked, closeFd, libc, setNumber, SO_OOBINLINE, SOL_SOCKET } from '../libc.ts';
import { LITTLE_ENDIAN } from '../netlink.ts';
import { Area, calls } from '../calls.ts';

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_SAVE_SYN = 27;
const TCP_SAVED_SYN = 28;
const BACKLOG = 4096; // net.core.somaxconn's default
const LOOPBACK: Readonly<Record<Family, string>> = { 4: '127.0.0.1', 6: '::1' };
const IPV6_HEADER_BYTES = 40;

/**
 * A socket where clients arrive whose SYN was let go: on the loopback, at a port of the kernel's choice.
 * It keeps each SYN, and what it accepts sends each message at once and leaves urgent bytes among the others.
 * @returns its descriptor and port. Throws SystemCallError.
 */
export function openListener(family: Family, namespace: number | undefined): { fd: number; port: number } {
  const address = parseIp(LOOPBACK[family]);
  invariant(address, 'the loopback has an address');
  const fd = boundSocket({ namespace, type: 'tcp', address, port: 0 });
  try {
    setNumber(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    setNumber(fd, IPPROTO_TCP, TCP_SAVE_SYN, 1);
    setNumber(fd, SOL_SOCKET, SO_OOBINLINE, 1);
    checked('listen', calls.listen(fd, BACKLOG));
    const name = new Uint8Array(28);
    checked('getsockname', libc.getsockname(fd, name, Uint32Array.of(name.length)));
    return { fd, port: new DataView(name.buffer).getUint16(2) };
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** Accepts clients, and tells by the SYN that each began with which one it is. */
export class Acceptor {
  readonly #syn = new Area(128);
  readonly #length = new Area(4);

  /** @returns the next client's descriptor, -1 if none waits or no descriptor is left. */
  accept(listener: number): number {
    return calls.accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
  }

  /** The sequence number of the client's SYN. @returns undefined if the kernel has not kept it. */
  sequence(client: number): number | undefined {
    const { at, bytes, view } = this.#syn;
    this.#length.view.setUint32(0, bytes.length, LITTLE_ENDIAN);
    if (calls.getsockopt(client, IPPROTO_TCP, TCP_SAVED_SYN, at, this.#length.at) < 0) return undefined;
    const first = view.getUint8(0);
    const transportAt = first >>> 4 === 4 ? (first & 15) * 4 : IPV6_HEADER_BYTES;
    if (this.#length.view.getUint32(0, LITTLE_ENDIAN) < transportAt + 8) return undefined;
    return view.getInt32(transportAt + 4);
  }
}
