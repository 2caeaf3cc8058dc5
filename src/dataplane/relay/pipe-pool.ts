import { closeFd } from '../libc.ts';
import { LITTLE_ENDIAN } from '../netlink.ts';
import { Area, calls } from '../calls.ts';

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const F_SETPIPE_SZ = 1031;
const KEPT = 64;

/** What a pipe holds at most, in bytes; less if the user's pipes hold much already. */
export const PIPE_BYTES = 1 << 20;

/** Pipes through which bytes go from socket to socket without being copied; those that are empty are used again. */
export class PipePool {
  readonly #free: number[] = [];
  readonly #writers: number[] = []; // by reading end
  readonly #pair = new Area(8);

  /** A pipe, named by its reading end; -1 if no descriptor is left. */
  take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (calls.pipe(this.#pair.at, O_NONBLOCK | O_CLOEXEC) < 0) return -1;
    const reader = this.#pair.view.getInt32(0, LITTLE_ENDIAN);
    const writer = this.#pair.view.getInt32(4, LITTLE_ENDIAN);
    calls.fcntl(writer, F_SETPIPE_SZ, PIPE_BYTES);
    this.#writers[reader] = writer;
    return reader;
  }

  /** The writing end of a pipe. */
  writer(reader: number): number {
    return this.#writers[reader] ?? -1;
  }

  /** Takes back a pipe. One that still holds bytes is closed. */
  give(reader: number, isEmpty: boolean): void {
    if (isEmpty && this.#free.length < KEPT) this.#free.push(reader);
    else this.#close(reader);
  }

  /** Closes the pipes that nobody uses. */
  close(): void {
    for (const reader of this.#free.splice(0)) this.#close(reader);
  }

  #close(reader: number): void {
    closeFd(this.writer(reader));
    closeFd(reader);
  }
}
