import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const LOCK_EX = 2; // Source: flock(2)
const LOCK_NB = 4;
const POLL_MS = 5;

/**
 * Runs work while no other process starts a lab of this user or removes what one has left; whoever comes second waits.
 * The kernel frees the lock of a process that ends. @throws SystemCallError if the folder cannot be locked.
 */
export async function whileLocked<T>(stateFolder: string, work: () => Promise<T>): Promise<T> {
  const { errno, ERRNO, libc, SystemCallError } = await import('../dataplane/libc.ts');
  const folder = await open(stateFolder);
  try {
    while (libc.flock(folder.fd, LOCK_EX | LOCK_NB) < 0) {
      const code = errno();
      if (code !== ERRNO.EAGAIN) throw new SystemCallError('flock', code);
      await delay(POLL_MS);
    }
    return await work();
  } finally {
    await folder.close();
  }
}
