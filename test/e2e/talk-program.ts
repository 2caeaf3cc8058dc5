import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { setInterval as every } from 'node:timers/promises';
import { monotonicNs } from './attempt.ts';

// A program that runs in a pod: it keeps one connection and sends over it until its input ends, and then prints what
// was echoed: between which two moments it was sent, in nanoseconds of the monotonic clock.

const { protocol, address, port } = JSON.parse(process.argv[2] ?? '') as TalkOrder;

/** Whom a talking program talks to. */
interface TalkOrder {
  readonly protocol: 'TCP' | 'UDP';
  readonly address: string;
  readonly port: number;
}

/** A message that was echoed: it was sent between these moments. */
export interface Talked {
  readonly beginNs: number;
  readonly endNs: number;
}

const EVERY_MS = 10;
const echoed: number[] = [];
const sentNs = new Map<number, number>();
const input = new AbortController();
process.stdin.on('end', () => input.abort()).resume();

/** Takes the numbers that came back: one a line. */
function take(text: string): void {
  if (echoed.length === 0) process.stdout.write('talking\n');
  echoed.push(...text.trimEnd().split('\n').map(Number));
}

function talk(): (text: string, sent: () => void) => void {
  if (protocol === 'TCP') {
    const socket = connect({ host: address, port }).setEncoding('utf8').on('data', take);
    return (text, sent) => void socket.write(text, sent);
  }
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (message) => take(message.toString()));
  return (text, sent) => {
    socket.send(text, port, address, sent);
  };
}

const send = talk();
for await (const _ of every(EVERY_MS)) {
  if (input.signal.aborted) break;
  const beginNs = monotonicNs();
  send(`${beginNs}\n`, () => sentNs.set(beginNs, monotonicNs()));
}
const talked: Talked[] = echoed.map((beginNs) => ({ beginNs, endNs: sentNs.get(beginNs) ?? Infinity }));
process.stdout.write(`${JSON.stringify(talked)}\n`, () => process.exit());
