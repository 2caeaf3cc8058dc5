import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { dialPortForward, useStreams } from './pod-access-double.ts';
import { controlFrame, openFrame, SpdyClient, uint32 } from './spdy-client.ts';

const streams = useStreams();
const PATH = '/api/v1/namespaces/default/pods/web/portforward';
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server on loopback; the pods' ports lead there. */
async function serve(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  streams.pods.dial = async (port) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  };
  return (server.address() as AddressInfo).port;
}

async function client(): Promise<SpdyClient> {
  const socket = dialPortForward(streams.api, PATH);
  await once(socket, 'open');
  return new SpdyClient(socket);
}

/** The code and the reason with which a connection is closed. */
async function closeOf({ socket }: SpdyClient): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

describe('a forwarded connection', () => {
  it('carries bytes both ways, and each half ends by itself', async () => {
    const port = await serve((socket) => {
      socket.on('data', (bytes) => socket.write(bytes.toString().toUpperCase()));
      socket.on('end', () => socket.end('!'));
    });
    const spdy = await client();
    const { error, data } = await spdy.open(port, '0');
    spdy.send(data, 'hello');
    await spdy.until(data, ({ text }) => text === 'HELLO');
    spdy.send(data, ' world', true);
    expect(await spdy.until(data, ({ end }) => end !== 'open')).toEqual({
      text: 'HELLO WORLD!',
      bytes: 12,
      end: 'ended',
    });
    expect(await spdy.until(error, ({ end }) => end !== 'open')).toEqual({ text: '', bytes: 0, end: 'ended' });
  });

  it('that cannot be made is told on the error stream', async () => {
    const spdy = await client();
    const { error, data } = await spdy.open(81, '0');
    expect((await spdy.until(error, ({ end }) => end === 'ended')).text).toBe('nothing listens on 81');
    expect((await spdy.until(data, ({ end }) => end === 'ended')).text).toBe('');
  });

  it('is one of many at once', async () => {
    const port = await serve((socket) => socket.pipe(socket));
    const spdy = await client();
    const pairs: { data: number }[] = [];
    for (let index = 0; index < 200; index++) pairs.push(await spdy.open(port, String(index)));
    for (const { data } of pairs) spdy.send(data, `I am ${data}`, true);
    for (const { data } of pairs) {
      expect((await spdy.until(data, ({ end }) => end === 'ended')).text).toBe(`I am ${data}`);
    }
  });

  it.each([
    [
      'its client resets it',
      (spdy: SpdyClient, data: number) => spdy.socket.send(controlFrame(3, Buffer.concat([uint32(data), uint32(5)]))),
    ],
    ['its client is gone', (spdy: SpdyClient) => spdy.socket.terminate()],
    ['the pod ends', () => streams.pods.endPod()],
  ])('ends when %s', async (_, end) => {
    let ended: Promise<unknown> | undefined;
    const port = await serve((socket) => {
      socket.resume().write('hello');
      ended = once(socket, 'end');
    });
    const spdy = await client();
    const { data } = await spdy.open(port, '0');
    await spdy.until(data, ({ text }) => text === 'hello');
    end(spdy, data);
    await ended;
  });

  it('is not read further than the client takes', async () => {
    let written = 0;
    const port = await serve((socket) => {
      const chunk = Buffer.alloc(1 << 16);
      const more = (): void => {
        while (written < 1 << 28 && socket.write(chunk)) written += chunk.length;
      };
      socket.on('drain', more);
      more();
    });
    const spdy = await client();
    const { data } = await spdy.open(port, '0');
    await spdy.until(data, ({ bytes }) => bytes > 0);
    spdy.socket.pause();
    for (let seen = -1; seen !== written;) {
      seen = written;
      for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
    }
    expect(written).toBeLessThan(1 << 27);
    spdy.socket.terminate();
  });
});

describe('the protocol', () => {
  it('answers pings', async () => {
    const spdy = await client();
    spdy.socket.send(controlFrame(6, uint32(7)));
    const { error } = await spdy.open(81, '0');
    await spdy.until(error, ({ end }) => end === 'ended');
    expect(spdy.pings).toEqual([controlFrame(6, uint32(7))]);
  });

  it('resets streams that ask for no port', async () => {
    const spdy = await client();
    const { error } = await spdy.open('none', '0');
    await spdy.until(error, ({ end }) => end === 'reset');
  });

  it.each([
    ['a frame that is too long', Buffer.concat([uint32(1), Buffer.of(0, 0xff, 0xff, 0xff)])],
    ['headers that are none', openFrame(1, Buffer.from('nonsense'))],
    ['a stream of the server', openFrame(2, Buffer.alloc(0))],
  ])('ends with %s', async (_, frame) => {
    const spdy = await client();
    const closing = closeOf(spdy);
    spdy.socket.send(frame);
    expect((await closing).code).toBe(1002);
  });

  it('is closed with the pod, and says so', async () => {
    const spdy = await client();
    const closing = closeOf(spdy);
    streams.pods.endPod();
    expect(await closing).toEqual({ code: 1000, reason: 'the pod has ended' });
  });
});
