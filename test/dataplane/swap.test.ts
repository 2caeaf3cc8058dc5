import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { policy } from '../builders/policy.ts';
import { dial, tcpServer, udpServer, udpSocket } from './attempt.ts';
import { CLOSED, OPEN, startFixture, tableOf, type Fixture } from './fixture.ts';

const SWAPS = 100;
const SOURCE_PORT = 4000;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Runs `attempts` while the table is swapped `SWAPS` times each way; `denied` tells whether the closed one is in force. */
async function swapUnder(fixture: Fixture, closed: SharedArrayBuffer, during: (denied: boolean) => Promise<void>) {
  for (let round = 0; round < SWAPS; round++) {
    fixture.plane.swap(closed);
    await during(true);
    fixture.plane.swap(OPEN);
    await during(false);
  }
}

describe.each([4, 6] as const)('no denied attempt passes while tables are swapped, IPv%i', (family) => {
  test('TCP from a fixed port and from any', async () => {
    await using fixture = await startFixture();
    const [client, server] = fixture.pods;
    const address = server.address[family];
    await using _server = await tcpServer(server, 80);
    const leaks: string[] = [];
    let passed = 0;
    await swapUnder(fixture, CLOSED, async (denied) => {
      const sockets = [SOURCE_PORT, 0].map((sourcePort) => dial(client, { address, port: 80, sourcePort }));
      for (const socket of sockets) {
        socket.on('error', () => undefined);
        socket.on('connect', () => (denied ? leaks.push('connected') : passed++));
      }
      // An allowed one is waited for; a denied one has until the next swap.
      if (!denied) await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      else for (let wait = 0; wait < 5; wait++) await turn();
      for (const socket of sockets) {
        if (denied) socket.destroy();
        else socket.resetAndDestroy();
      }
      await Promise.all(sockets.map((socket) => (socket.closed ? undefined : once(socket, 'close'))));
    });
    expect(leaks).toEqual([]);
    expect(passed).toBe(2 * SWAPS);
  });

  test.each([
    { name: 'ingress closed', closed: CLOSED },
    // Only the way there is closed: an answer under way must not open it in reverse.
    { name: 'the server closed to the client', closed: tableOf([policy({ pods: { app: 'p2' }, ingress: [] })]) },
  ])('UDP from a fixed port, $name', async ({ closed }) => {
    await using fixture = await startFixture();
    const [client, server] = fixture.pods;
    const address = server.address[family].text;
    const received: string[] = [];
    using _server = udpServer(server, 53);
    const sink = udpSocket(server, family, 54);
    sink.on('message', (message) => received.push(message.toString()));
    const socket = udpSocket(client, family, SOURCE_PORT);
    let answers = 0;
    socket.on('message', () => answers++);
    let number = 0;
    await swapUnder(fixture, closed, async (denied) => {
      const answered = denied ? undefined : once(socket, 'message');
      for (let wait = 0; wait < 5; wait++) {
        number += 1;
        socket.send(`${denied ? 'denied' : 'allowed'} ${number}`, 54, address);
        socket.send(`${denied ? 'denied' : 'allowed'} ${number}`, 53, address);
        await turn();
      }
      await answered;
    });
    socket.send('allowed last', 54, address);
    while (!received.includes('allowed last')) await once(sink, 'message');
    expect(received.filter((message) => message.startsWith('denied'))).toEqual([]);
    expect(answers).toBeGreaterThan(SWAPS);
    socket.close();
    sink.close();
  });
});

test('UDP: answers to a flow that was opened the other way stop when that way is closed', async () => {
  await using fixture = await startFixture();
  const [one, other] = fixture.pods;
  const [here, there] = [udpSocket(one, 4, 5000), udpSocket(other, 4, 5000)];
  here.send('opens', 5000, other.address[4].text);
  await once(there, 'message');
  fixture.plane.swap(CLOSED);
  const received: string[] = [];
  here.on('message', (message) => received.push(message.toString()));
  there.send('denied', 5000, one.address[4].text);
  await fixture.plane.setServices([]); // long enough for a datagram
  fixture.plane.swap(OPEN);
  there.send('allowed', 5000, one.address[4].text);
  await once(here, 'message');
  expect(received).toEqual(['allowed']);
  here.close();
  there.close();
});
