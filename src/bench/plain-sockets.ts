import { toBytes, type IpAddress } from '../net/ip.ts';
import { checked, closeFd, inNamespace, SystemCallError } from '../dataplane/libc.ts';
import { LITTLE_ENDIAN, setReadTimeout } from '../dataplane/netlink.ts';
import { Area, calls } from '../dataplane/calls.ts';
import type { BenchPod } from './bench-network.ts';

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SHUT_WR = 1;
const PATIENCE_MS = 5000;
const NAME_BYTES = 16; // struct sockaddr_in

/** A blocking socket of a pod, for loads whose own cost must be small: a call of it is a system call and some 100 ns. */
export class PlainSocket implements Disposable {
  readonly #fd: number;
  readonly #buffer: Area;

  /** Connects. Throws SystemCallError. @param bufferBytes the most that is sent or received at once. */
  constructor(pod: BenchPod, to: { type: 'tcp' | 'udp'; address: IpAddress; port: number; bufferBytes: number }) {
    this.#buffer = new Area(Math.max(to.bufferBytes, NAME_BYTES));
    const kind = to.type === 'tcp' ? SOCK_STREAM : SOCK_DGRAM;
    this.#fd = inNamespace(pod.namespace, () => checked('socket', calls.socket(AF_INET, kind, 0)));
    setReadTimeout(this.#fd, PATIENCE_MS);
    const { view, bytes, at } = this.#buffer;
    view.setUint16(0, AF_INET, LITTLE_ENDIAN);
    view.setUint16(2, to.port);
    bytes.set(toBytes(to.address.words), 4);
    if (calls.connect(this.#fd, at, NAME_BYTES) >= 0) return;
    const failure = new SystemCallError('connect');
    closeFd(this.#fd);
    throw failure;
  }

  /** What is sent, and what was received. */
  get buffer(): Area {
    return this.#buffer;
  }

  /** Sends the first bytes of the buffer. @returns how many the kernel took. Throws SystemCallError. */
  send(length: number): number {
    return checked('send', calls.send(this.#fd, this.#buffer.at, length, 0));
  }

  /** Receives into the buffer. @returns how many bytes, 0 at the end. Throws SystemCallError: EAGAIN after 5 s. */
  receive(): number {
    return checked('recv', calls.recv(this.#fd, this.#buffer.at, this.#buffer.bytes.length, 0));
  }

  /** Sends no more. */
  end(): void {
    checked('shutdown', calls.shutdown(this.#fd, SHUT_WR));
  }

  [Symbol.dispose](): void {
    closeFd(this.#fd);
  }
}
