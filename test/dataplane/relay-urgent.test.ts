import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Area, calls } from '../../src/dataplane/calls.ts';
import { boundSocket, closeFd, libc, plainSocket, setNumber, SOL_SOCKET } from '../../src/dataplane/libc.ts';
import { LITTLE_ENDIAN } from '../../src/dataplane/netlink.ts';
import { toBytes } from '../../src/net/ip.ts';
import { RelayFixture } from './relay-fixture.ts';

const MSG_OOB = 1;
const SO_OOBINLINE = 10;
const SOCK_NONBLOCK = 0o4000;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const SHUT_WR = 1;
const PATIENCE = { interval: 1, timeout: 5000 };

/** What a socket has for its reader now. */
function take(fd: number, flags = 0): string {
  const area = new Area(64);
  const got = calls.recv(fd, area.at, 64, flags);
  return Buffer.from(area.bytes.subarray(0, Math.max(got, 0))).toString();
}

/** Sends all of this, as soon as there is room for it. */
async function send(fd: number, bytes: Uint8Array, flags = 0): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += Math.max(libc.send(fd, bytes.subarray(at), bytes.length - at, flags), 0);
    await setImmediate();
  }
}

describe.each([4, 6] as const)('urgent data of a relayed connection, IPv%i', (family) => {
  const stack = new AsyncDisposableStack();
  let fixture: RelayFixture;
  beforeAll(async () => {
    fixture = stack.use(await RelayFixture.start());
  });
  afterAll(() => stack.disposeAsync());

  /** A socket that listens in the server's pod. @param isInline whether urgent bytes stay among the others. */
  function listen(port: number, isInline: boolean): number {
    const fd = boundSocket({ namespace: fixture.server.namespace, type: 'tcp', address: family, port });
    setNumber(fd, SOL_SOCKET, SO_OOBINLINE, Number(isInline));
    calls.listen(fd, 1);
    return fd;
  }

  /** A socket of the relayed pod that connects to the server's. */
  function connect(port: number): number {
    const { client, server } = fixture;
    const fd = plainSocket({ namespace: client.namespace, type: 'tcp', family });
    setNumber(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    const name = new Area(family === 4 ? 16 : 28);
    name.view.setUint16(0, family === 4 ? 2 : 10, LITTLE_ENDIAN);
    name.view.setUint16(2, port);
    name.bytes.set(toBytes(server.address[family].words), family === 4 ? 4 : 8);
    calls.connect(fd, name.at, name.bytes.length);
    return fd;
  }

  test.each([
    { from: 'client', place: 'beside the others', port: 2001, heard: 'abcEND' },
    { from: 'server', place: 'beside the others', port: 2002, heard: 'abcEND' },
    { from: 'client', place: 'in line', port: 2003, heard: 'abcXEND' },
  ])('of the $from, read $place', async ({ from, place, port, heard }) => {
    const isInline = place === 'in line';
    const listener = listen(port, isInline);
    for (let round = 0; round < 20; round++) {
      const near = connect(port);
      const far = await vi.waitUntil(() => Math.max(calls.accept4(listener, 0, 0, SOCK_NONBLOCK), 0), PATIENCE);
      const [sender, receiver] = from === 'client' ? [near, far] : [far, near];
      await send(sender, Buffer.from('abc'));
      await send(sender, Buffer.from('X'), MSG_OOB);
      await send(sender, Buffer.from('END'));
      if (!isInline) await vi.waitUntil(() => take(receiver, MSG_OOB) === 'X', PATIENCE);
      let stream = '';
      await vi.waitFor(() => expect((stream += take(receiver))).toBe(heard), PATIENCE);
      closeFd(near);
      closeFd(far);
    }
    closeFd(listener);
  });

  test('amid much, up to the end', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen({ fd: listen(2004, true) }, resolve));
    const arrival = once(server, 'connection') as Promise<[net.Socket]>;
    const near = connect(2004);
    const [far] = await arrival;
    const arrived = buffer(far);
    const sent = Array.from({ length: 16 }, () => randomBytes(1 << 20));
    for (const chunk of sent) {
      await send(near, chunk.subarray(1));
      await send(near, chunk.subarray(0, 1), MSG_OOB);
    }
    calls.shutdown(near, SHUT_WR);
    const expected = Buffer.concat(sent.flatMap((chunk) => [chunk.subarray(1), chunk.subarray(0, 1)]));
    expect((await arrived).equals(expected)).toBe(true);
    closeFd(near);
    server.close();
  });
});
