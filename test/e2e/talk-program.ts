import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { setInterval as every } from 'node:timers/promises';
import { monotonicNs } from './attempt.ts';

// A program that runs in a pod: it keeps one connection and sends over it until its input ends, and then prints when it
// sent what was echoed, in nanoseconds of the monotonic clock.

const { protocol, address, port } = JSON.parse(process.argv[2] ?? '') as TalkOrder;

/** Whom a talking program talks to. */
interface TalkOrder {
  readonly protocol: 'TCP' | 'UDP';
  readonly address: string;
  readonly port: number;
}

const EVERY_MS = 10;
const echoed: number[] = [];
const input = new AbortController();
process.stdin.on('end', () => input.abort()).resume();

/** Takes the numbers that came back: one a line. */
function take(text: string): void {
  if (echoed.length === 0) process.stdout.write('talking\n');
  echoed.push(...text.trimEnd().split('\n').map(Number));
}

function talk(): (text: string) => void {
  if (protocol === 'TCP') {
    const socket = connect({ host: address, port }).setEncoding('utf8').on('data', take);
    return (text) => socket.write(text);
  }
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (message) => take(message.toString()));
  return (text) => {
    socket.send(text, port, address);
  };
}

const send = talk();
for await (const _ of every(EVERY_MS)) {
  if (input.signal.aborted) break;
  send(`${monotonicNs()}\n`);
}
process.stdout.write(`${JSON.stringify(echoed)}\n`, () => process.exit());
