import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

// A program that runs in a pod: it answers on TCP and UDP until its input ends, and then prints the datagrams
// that it got, and for each TCP connection the client's address.

const { tcp = [], udp = [] } = JSON.parse(process.argv[2] ?? '{}') as { tcp?: number[]; udp?: number[] };
const received: string[] = [];

for (const port of tcp) {
  const server = createServer((socket) => {
    received.push(socket.remoteAddress ?? '');
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(port, '::');
  await once(server, 'listening');
}
for (const port of udp) {
  for (const type of ['udp4', 'udp6'] as const) {
    const socket = createSocket({ type, ipv6Only: type === 'udp6' });
    socket.on('error', () => undefined);
    socket.on('message', (message, peer) => {
      received.push(message.toString());
      socket.send(message, peer.port, peer.address, () => undefined);
    });
    const listening = once(socket, 'listening');
    socket.bind(port);
    await listening;
  }
}

process.stdin
  .on('end', () => {
    process.stdout.write(`${JSON.stringify(received)}\n`, () => process.exit());
  })
  .resume();
process.stdout.write('listening\n');
