import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Socket } from 'node:net';

// A program that runs in a pod: it sends as many datagrams and SYNs as it is told, as fast as it can.

const { address, port, datagrams, syns } = JSON.parse(process.argv[2] ?? '') as FloodOrder;

/** What a flooding program sends, and where to. */
interface FloodOrder {
  readonly address: string;
  readonly port: number;
  readonly datagrams: number;
  readonly syns: number;
}

const BURST = 500;

process.stdout.write('flooding\n');
const socket = createSocket('udp4');
socket.connect(port, address);
await once(socket, 'connect');
for (let sent = 0; sent < datagrams; sent += BURST) {
  for (let index = 1; index < BURST; index++) socket.send('flood', () => undefined);
  await new Promise((resolve) => socket.send('flood', resolve));
}
socket.close();

let passed = 0;
for (let sent = 0; sent < syns; sent += BURST) {
  const sockets = Array.from({ length: BURST }, () => new Socket().connect(port, address));
  for (const each of sockets) each.on('error', () => undefined).on('connect', () => (passed += 1));
  await new Promise((resolve) => setTimeout(resolve, 50)); // until the SYNs are out; denied ones get no answer
  for (const each of sockets) each.destroy();
}
process.stdout.write(`${passed}\n`);
