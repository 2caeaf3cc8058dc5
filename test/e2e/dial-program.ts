import { createSocket } from 'node:dgram';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNs, type Attempt, type DialOrder, type Lane } from './attempt.ts';

// A program that runs in a pod: it dials until its input ends, and then prints its attempts.

const order = JSON.parse(process.argv[2] ?? '') as DialOrder;
const attempts: Attempt[] = [];
let stopping = false;

/** What an attempt has to tell while it is under way. */
interface Progress {
  sent(): void;
  answered(): void;
}

async function work(lane: Lane): Promise<void> {
  const pending = new Set<Promise<void>>();
  for (let number = 0; !stopping; number++) {
    const address = lane.addresses[number % lane.addresses.length] ?? '';
    const attempt = tryOnce(lane, address, `${lane.name}-${number}`);
    pending.add(attempt);
    void attempt.then(() => pending.delete(attempt));
    if (lane.sourcePort !== undefined) await attempt;
    await delay(lane.everyMs);
  }
  await Promise.all(pending);
}

async function tryOnce(lane: Lane, address: string, id: string): Promise<void> {
  const startedNs = monotonicNs();
  let sentNs = Infinity;
  let answeredNs: number | null = null;
  const sent = (): void => void (sentNs = Math.min(sentNs, monotonicNs()));
  const dial = lane.protocol === 'TCP' ? connect : exchange;
  await new Promise<void>((resolve) => {
    const progress = {
      sent,
      answered: (): void => {
        answeredNs = monotonicNs();
        end();
      },
    };
    const close = dial(lane, address, { id, progress });
    const timer = setTimeout(() => end(), lane.patienceMs);
    let over = false;
    function end(): void {
      if (over) return;
      over = true;
      clearTimeout(timer);
      close(resolve);
    }
  });
  attempts.push({ id, startedNs, sentNs: Number.isFinite(sentNs) ? sentNs : monotonicNs(), answeredNs });
}

type Close = (closed: () => void) => void;

/** Opens a connection. @returns what closes it without a trace, so that its port is free again. */
function connect(lane: Lane, address: string, { progress }: { id: string; progress: Progress }): Close {
  const socket = new Socket();
  socket.on('error', () => undefined);
  socket.on('connect', () => {
    progress.sent();
    progress.answered();
  });
  const local = lane.sourcePort === undefined ? {} : { localPort: lane.sourcePort };
  socket.connect({ host: address, port: lane.port, ...local });
  process.nextTick(() => {
    progress.sent(); // Node makes the system call in a tick that it has queued before this one
  });
  return (closed) => {
    socket.once('close', closed);
    if (socket.destroyed) closed();
    else if (socket.connecting) socket.destroy();
    else socket.resetAndDestroy();
  };
}

/** Sends its id and waits for an answer; on a port that is used again, for an echo of its id. */
function exchange(lane: Lane, address: string, { id, progress }: { id: string; progress: Progress }): Close {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', () => undefined);
  socket.on('message', (message, peer) => {
    // A late answer to an earlier attempt can meet its port in this one's hands.
    if (peer.port !== lane.port) return;
    if (lane.sourcePort === undefined || message.toString() === id) progress.answered();
  });
  socket.bind({ port: lane.sourcePort ?? 0 }, () => {
    socket.send(id, lane.port, address, () => {
      progress.sent();
    });
  });
  return (closed) => {
    socket.close(closed);
  };
}

process.stdin.on('end', () => (stopping = true)).resume();
process.stdout.write('dialling\n');
await Promise.all(order.lanes.map(work));
process.stdout.write(`${JSON.stringify(attempts)}\n`);
