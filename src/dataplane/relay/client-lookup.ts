import type { Family } from '../../net/ip.ts';
import { checked, inNamespace, libc } from '../libc.ts';
import { LITTLE_ENDIAN } from '../netlink.ts';
import { Area, calls } from '../calls.ts';
import type { Connections } from './connections.ts';

// Source: linux/inet_diag.h, linux/sock_diag.h, net/tcp_states.h.
const AF_NETLINK = 16;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const IPPROTO_TCP = 6;
const AF = { 4: 2, 6: 10 } as const;
const SYN_SENT = 2;
const LISTEN = 10;
const LOOPBACK = { 4: [127, 0, 0, 1], 6: [...new Uint8Array(15), 1] } as const;
const HEADER_BYTES = 16; // struct nlmsghdr
const REQUEST_BYTES = HEADER_BYTES + 56; // struct inet_diag_req_v2
const ID_AT = HEADER_BYTES + 8; // struct inet_diag_sockid of a request; an answer's starts at 4
const ANSWER_ID_AT = HEADER_BYTES + 4;
const SOCKID = { sourcePort: 0, port: 2, source: 4, destination: 20, interface: 36, cookie: 40 } as const;

/** A client's socket: still connecting, connecting by one interface alone (SO_BINDTODEVICE), or not there any more. */
export type ClientState = 'connecting' | 'bound to interface' | 'gone';

/** A socket to ask the kernel about clients' sockets. @param namespace descriptor. Throws SystemCallError. */
export function openClientLookup(namespace: number | undefined): number {
  const open = (): number => checked('socket', libc.socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  return namespace === undefined ? open() : inNamespace(namespace, open);
}

/** Asks the kernel what has become of the client that a connection is dialled for. */
export class ClientLookup {
  readonly #fd: number;
  readonly #request = new Area(REQUEST_BYTES);
  readonly #answer = new Area(4096);

  /** @param fd of openClientLookup; it stays the caller's to close. */
  constructor(fd: number) {
    this.#fd = fd;
    const { view } = this.#request;
    view.setUint32(0, REQUEST_BYTES, LITTLE_ENDIAN);
    view.setUint16(4, SOCK_DIAG_BY_FAMILY, LITTLE_ENDIAN);
    view.setUint16(6, NLM_F_REQUEST, LITTLE_ENDIAN);
    view.setUint8(HEADER_BYTES + 1, IPPROTO_TCP);
    view.setUint32(HEADER_BYTES + 4, 0xffffffff); // any state
    view.setUint32(ID_AT + SOCKID.cookie, 0xffffffff);
    view.setUint32(ID_AT + SOCKID.cookie + 4, 0xffffffff);
  }

  /** What has become of the connection's client. Cost: two calls, about 2 µs. */
  stateOf(connections: Connections, slot: number): ClientState {
    const { view, bytes } = this.#request;
    const family = connections.family[slot] === 4 ? 4 : 6;
    view.setUint16(ID_AT + SOCKID.sourcePort, connections.sourcePort[slot] ?? 0);
    view.setUint16(ID_AT + SOCKID.port, connections.dialledPort[slot] ?? 0);
    bytes.set(connections.source(slot), ID_AT + SOCKID.source);
    bytes.set(connections.dialled(slot), ID_AT + SOCKID.destination);
    view.setUint32(ID_AT + SOCKID.interface, connections.interface[slot] ?? 0, LITTLE_ENDIAN);
    if (this.#ask(family) !== SYN_SENT) return 'gone';
    return this.#answer.view.getUint32(ANSWER_ID_AT + SOCKID.interface, LITTLE_ENDIAN) === 0
      ? 'connecting'
      : 'bound to interface';
  }

  /** Whether a listener of the loopback is found, as it is if the kernel can tell at all. */
  seesListener(family: Family, port: number): boolean {
    const { view, bytes } = this.#request;
    bytes.fill(0, ID_AT, ID_AT + SOCKID.cookie);
    view.setUint16(ID_AT + SOCKID.sourcePort, port);
    bytes.set(LOOPBACK[family], ID_AT + SOCKID.source);
    return this.#ask(family) === LISTEN;
  }

  /** @returns the state of the socket that the request names, 0 if there is none. */
  #ask(family: Family): number {
    const answer = this.#answer;
    this.#request.view.setUint8(HEADER_BYTES, AF[family]);
    if (calls.send(this.#fd, this.#request.at, REQUEST_BYTES, 0) < 0) return 0;
    const length = calls.recv(this.#fd, answer.at, answer.bytes.length, 0);
    const isSocket = length >= HEADER_BYTES + 56 && answer.view.getUint16(4, LITTLE_ENDIAN) === SOCK_DIAG_BY_FAMILY;
    return isSocket ? answer.view.getUint8(HEADER_BYTES + 1) : 0;
  }
}
