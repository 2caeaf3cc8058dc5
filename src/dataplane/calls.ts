import koffi from 'koffi';
import { addressOf } from './libc.ts';

const library = koffi.load(null);

/** A call whose arguments are numbers: descriptors, sizes, flags, and addresses of memory as Area has them. */
type Call = (...args: number[]) => number;

function call(declaration: string): Call {
  return library.func(declaration) as Call;
}

/**
 * Calls that carry bytes: -1 is a failure, and errno() says which. Memory is passed by its address, so
 * that a call allocates nothing. Cost: about 100 ns more than in C.
 */
export const calls = {
  accept4: call('int accept4(int fd, uint64_t address, uint64_t length, int flags)'),
  connect: call('int connect(int fd, uint64_t address, uint32_t length)'),
  epollCreate: call('int epoll_create1(int flags)'),
  epollControl: call('int epoll_ctl(int epoll, int operation, int fd, uint64_t event)'),
  epollWait: call('int epoll_wait(int epoll, uint64_t events, int count, int timeoutMs)'),
  fcntl: call('int fcntl(int fd, int command, int value)'),
  getsockopt: call('int getsockopt(int fd, int level, int option, uint64_t value, uint64_t length)'),
  setsockopt: call('int setsockopt(int fd, int level, int option, uint64_t value, uint32_t length)'),
  ioctl: call('int ioctl(int fd, unsigned long request, uint64_t argument)'),
  listen: call('int listen(int fd, int backlog)'),
  pipe: call('int pipe2(uint64_t descriptors, int flags)'),
  bind: call('int bind(int fd, uint64_t address, uint32_t length)'),
  recv: call('long recv(int fd, uint64_t bytes, size_t length, int flags)'),
  recvfrom: call(
    'long recvfrom(int fd, uint64_t bytes, size_t length, int flags, uint64_t address, uint64_t addressLength)',
  ),
  send: call('long send(int fd, uint64_t bytes, size_t length, int flags)'),
  sendto: call(
    'long sendto(int fd, uint64_t bytes, size_t length, int flags, uint64_t address, uint32_t addressLength)',
  ),
  shutdown: call('int shutdown(int fd, int how)'),
  socket: call('int socket(int domain, int type, int protocol)'),
  splice: call('long splice(int from, uint64_t fromOffset, int to, uint64_t toOffset, size_t length, uint32_t flags)'),
};

/** Memory that the kernel reads and writes. `at` is where it lies; it stays there as long as the area is held. */
export class Area {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly at: number;

  constructor(size: number) {
    const buffer = new ArrayBuffer(size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.at = Number(addressOf(buffer)); // 47 bits of user space
  }
}
