import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Family } from '../../src/net/ip.ts';
import { policy } from '../builders/policy.ts';
import { dial, tcpServer, udpServer, udpSocket } from './attempt.ts';
import { CLOSED, OPEN, startFixture, tableOf, type Fixture } from './fixture.ts';

const SWAPS = 100;
const SOURCE_PORT = 4000;
/** Allowed at all times, so that a datagram to it shows that all packets before it were judged. */
const BARRIER_PORT = 99;

const DENY_INGRESS = tableOf([policy({ ingress: [{ ports: [`${BARRIER_PORT}/UDP`] }] })]);
// Only the way there is closed: an answer under way must not open it in reverse.
const DENY_TO_SERVER = tableOf([policy({ pods: { app: 'p2' }, ingress: [{ ports: [`${BARRIER_PORT}/UDP`] }] })]);

/** Makes attempts while the table is swapped `SWAPS` times each way, each attempt between two swaps. */
async function swapUnder(
  { fixture, family, closed }: { fixture: Fixture; family: Family; closed: SharedArrayBuffer },
  attempt: (denied: boolean, judged: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const [client, server] = fixture.pods;
  const from = udpSocket(client, family, 0);
  const to = udpSocket(server, family, BARRIER_PORT);
  const judged = async (): Promise<unknown> => {
    const passed = once(to, 'message');
    from.send('', BARRIER_PORT, server.address[family].text);
    return passed;
  };
  for (let round = 0; round < SWAPS; round++) {
    fixture.plane.swap(closed);
    await attempt(true, judged);
    fixture.plane.swap(OPEN);
    await attempt(false, judged);
  }
  from.close();
  to.close();
}

describe.each([4, 6] as const)('no denied attempt passes while tables are swapped, IPv%i', (family) => {
  test('TCP from a fixed port and from any', async () => {
    await using fixture = await startFixture();
    const [client, server] = fixture.pods;
    const address = server.address[family];
    let accepted = 0;
    await using _server = await tcpServer(server, 80, { onConnection: () => accepted++ });
    await swapUnder({ fixture, family, closed: DENY_INGRESS }, async (denied, judged) => {
      const sockets = [SOURCE_PORT, 0].map((sourcePort) => dial(client, { address, port: 80, sourcePort }));
      for (const socket of sockets) socket.on('error', () => undefined);
      await (denied ? judged() : Promise.all(sockets.map((socket) => once(socket, 'data'))));
      for (const socket of sockets) {
        if (denied) socket.destroy();
        else socket.resetAndDestroy();
      }
      await Promise.all(sockets.map((socket) => once(socket, 'close')));
    });
    const last = dial(client, { address, port: 80 });
    await once(last, 'data');
    last.destroy();
    expect(accepted).toBe(2 * SWAPS + 1);
  });

  test.each([
    { name: 'ingress closed', closed: DENY_INGRESS },
    { name: 'the server closed to the client', closed: DENY_TO_SERVER },
  ])('UDP from a fixed port, $name', async ({ closed }) => {
    await using fixture = await startFixture();
    const [client, server] = fixture.pods;
    const address = server.address[family].text;
    const received: string[] = [];
    // One answers, which makes conntrack take the flow for established; the other never does.
    using _server = udpServer(server, 53, { onMessage: (message) => received.push(message) });
    const sink = udpSocket(server, family, 54);
    sink.on('message', (message) => received.push(message.toString()));
    const socket = udpSocket(client, family, SOURCE_PORT);
    let answers = 0;
    socket.on('message', () => answers++);
    await swapUnder({ fixture, family, closed }, async (denied, judged) => {
      const answered = denied ? undefined : once(socket, 'message');
      for (let count = 0; count < 5; count++) {
        socket.send(denied ? 'denied' : 'allowed', 54, address);
        socket.send(denied ? 'denied' : 'allowed', 53, address);
      }
      await judged();
      await answered;
    });
    while (received.length < 10 * SWAPS) await once(sink, 'message');
    expect(new Set(received)).toEqual(new Set(['allowed']));
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

test('UDP: an answer that comes after its flow was cut does not open it again', async () => {
  await using fixture = await startFixture();
  const [client, server] = fixture.pods;
  const [asking, answering] = [udpSocket(client, 4, 5000), udpSocket(server, 4, 53)];
  const barrier = udpSocket(server, 4, BARRIER_PORT);
  asking.send('question', 53, server.address[4].text);
  await once(answering, 'message');
  fixture.plane.swap(DENY_TO_SERVER);
  const received: string[] = [];
  answering.on('message', (message) => received.push(message.toString()));
  // The server may send to the client: were this the first packet of a flow, it would be allowed.
  const other = udpSocket(client, 4, 5001);
  answering.send('late answer', 5000, client.address[4].text);
  answering.send('barrier', 5001, client.address[4].text);
  await once(other, 'message');
  asking.send('denied', 53, server.address[4].text);
  asking.send('barrier', BARRIER_PORT, server.address[4].text);
  await once(barrier, 'message');
  fixture.plane.swap(OPEN);
  asking.send('allowed', 53, server.address[4].text);
  while (received.at(-1) !== 'allowed') await once(answering, 'message');
  expect(received).toEqual(['allowed']);
  for (const socket of [asking, answering, barrier, other]) socket.close();
});
