import { ReadStream } from 'node:tty';
import { checked, closeFd, libc } from '../../dataplane/libc.ts';
import type { TerminalSize } from '../../apiserver/streams/pod-access.ts';

// Constants of Linux on x64 and arm64. Source: the kernel's uapi headers fcntl.h and asm-generic/ioctls.h.
const O_RDWR = 2;
const O_NOCTTY = 0o400;
const O_CLOEXEC = 0o2000000;
const TIOCSPTLCK = 0x40045431;
const TIOCGPTPEER = 0x5441;
const TIOCSWINSZ = 0x5414;

const FLAGS = O_RDWR | O_NOCTTY | O_CLOEXEC;

/** A terminal without a screen: a command at one end, this process at the other. */
export class Terminal {
  /** What the command writes to its terminal, and where to type. Reading ends with EIO once nothing has the terminal open. */
  readonly screen: ReadStream;
  readonly #master: number;
  #commandEnd: number | undefined;

  /** Opens one. Throws SystemCallError. */
  constructor() {
    this.#master = checked('open /dev/ptmx', libc.open('/dev/ptmx', FLAGS));
    try {
      checked('TIOCSPTLCK', libc.ioctl(this.#master, TIOCSPTLCK, Int32Array.of(0)));
      // Unlike opening it by name, this works whatever is mounted on /dev/pts.
      this.#commandEnd = checked('TIOCGPTPEER', libc.ioctlNumber(this.#master, TIOCGPTPEER, FLAGS));
    } catch (error) {
      closeFd(this.#master);
      throw error;
    }
    this.screen = new ReadStream(this.#master);
  }

  /** Starts a command with the descriptor of the terminal's other end, which is closed here after that. */
  give<T>(start: (fd: number) => T): T {
    const fd = this.#commandEnd;
    if (fd === undefined) throw new Error('the terminal has its command already');
    this.#commandEnd = undefined;
    try {
      return start(fd);
    } finally {
      closeFd(fd);
    }
  }

  /** Says how large it is shown: the command gets SIGWINCH. Without effect once it is closed. */
  resize({ columns, rows }: TerminalSize): void {
    if (!this.screen.destroyed) libc.ioctl(this.#master, TIOCSWINSZ, Uint16Array.of(rows, columns, 0, 0));
  }
}
