import { parentPort, workerData } from 'node:worker_threads';
import { boundSocket, checked, closeFd, enterNamespace, errno, ERRNO } from '../dataplane/libc.ts';
import { LITTLE_ENDIAN } from '../dataplane/netlink.ts';
import { Area, calls } from '../dataplane/calls.ts';
import { Epoll, EPOLL } from '../dataplane/epoll.ts';
import { BENCH_PORT, COUNT_BYTES } from './bench-ports.ts';

// The far end of the bench's own loads, in the server's namespace: it sends each datagram back, and swallows what
// comes by TCP, to answer with the count once the sender has ended.

const NAME_BYTES = 16; // struct sockaddr_in
const BUFFER_BYTES = 1 << 18;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000; // a child that had a copy would keep its events coming after it is closed here
const WORD = { echo: 0, listener: 1, stream: 2 } as const;
const BACKLOG = 64;
const STOP_STEP_MS = 100; // a thread that waits in the kernel cannot be ended

class BenchPeer {
  readonly #epoll = new Epoll();
  readonly #buffer = new Area(BUFFER_BYTES);
  readonly #name = new Area(NAME_BYTES);
  readonly #nameLength = new Area(4);
  // Bytes received, by descriptor.
  readonly #received = new Map<number, number>();

  constructor() {
    this.#listen('udp', BENCH_PORT.echo, WORD.echo);
    this.#listen('tcp', BENCH_PORT.sink, WORD.listener);
    this.#listen('tcp', BENCH_PORT.sinkBehind, WORD.listener);
  }

  run(): never {
    for (;;) {
      const count = this.#epoll.wait(STOP_STEP_MS);
      for (let event = 0; event < count; event++) {
        const fd = this.#epoll.generation(event);
        const word = this.#epoll.word(event);
        if (word === WORD.echo) this.#echo(fd);
        else if (word === WORD.listener) this.#accept(fd);
        else this.#swallow(fd);
      }
    }
  }

  #listen(type: 'tcp' | 'udp', port: number, word: number): void {
    const fd = boundSocket({ namespace: undefined, type, address: 4, port });
    if (type === 'tcp') checked('listen', calls.listen(fd, BACKLOG));
    this.#epoll.add(fd, EPOLL.IN, word, fd);
  }

  #echo(fd: number): void {
    this.#nameLength.view.setUint32(0, NAME_BYTES, LITTLE_ENDIAN);
    const got = calls.recvfrom(fd, this.#buffer.at, BUFFER_BYTES, 0, this.#name.at, this.#nameLength.at);
    if (got >= 0) calls.sendto(fd, this.#buffer.at, got, 0, this.#name.at, NAME_BYTES);
  }

  #accept(listener: number): void {
    const fd = calls.accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    this.#received.set(fd, 0);
    this.#epoll.add(fd, EPOLL.IN, WORD.stream, fd);
  }

  #swallow(fd: number): void {
    if (!this.#received.has(fd)) return; // closed by now, but a child that is on its way to exec has a copy
    const got = calls.recv(fd, this.#buffer.at, BUFFER_BYTES, 0);
    if (got > 0) this.#received.set(fd, (this.#received.get(fd) ?? 0) + got);
    if (got > 0 || (got < 0 && errno() === ERRNO.EAGAIN)) return;
    if (got === 0) {
      this.#buffer.view.setFloat64(0, this.#received.get(fd) ?? 0);
      calls.send(fd, this.#buffer.at, COUNT_BYTES, 0);
    }
    this.#received.delete(fd);
    closeFd(fd);
  }
}

enterNamespace((workerData as { namespace: number }).namespace);
const peer = new BenchPeer();
parentPort?.postMessage('ready');
peer.run();
