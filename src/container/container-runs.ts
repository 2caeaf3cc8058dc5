import { readFileSync } from 'node:fs';

/** How the command of a container goes. `waiting` has not started yet, `done` has ended for good. */
export type ContainerRun =
  | { readonly kind: 'waiting' | 'running'; readonly restarts: number }
  | { readonly kind: 'restarting' | 'done'; readonly restarts: number; readonly exitCode: number };

// As workload.sh names its socket. Whoever is in the pod can name one so too, and tell lies of its own pod.
const SHOWN = / @netpol-lab\/([a-z0-9-]+)\/(\d{1,9})\/(?:(running)|(restarting|done)\/(\d{1,3}))$/;

/** How the commands in this process's network go, by their containers, as the sockets there tell. */
export function containerRuns(sockets = readFileSync('/proc/self/net/unix', 'utf8')): Map<string, ContainerRun> {
  const runs = new Map<string, ContainerRun>();
  for (const line of sockets.split('\n')) {
    const [, container = '', restarts, running, ended, exitCode] = SHOWN.exec(line) ?? [];
    if (running === 'running') runs.set(container, { kind: running, restarts: Number(restarts) });
    else if (ended === 'restarting' || ended === 'done') {
      runs.set(container, { kind: ended, restarts: Number(restarts), exitCode: Number(exitCode) });
    }
  }
  return runs;
}
