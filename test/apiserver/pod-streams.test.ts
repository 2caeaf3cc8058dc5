import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { ApiFixture } from './api-fixture.ts';
import { dialStream, useStreams, type Offer } from './pod-access-double.ts';
import { runningPod } from './kubectl-session.ts';

const streams = useStreams();

const EXEC = '/api/v1/namespaces/default/pods/web/exec';
const CAT = `${EXEC}?command=cat&stdin=true&stdout=true&stderr=true`;

function dial(path: string, offer?: Offer): WebSocket {
  return dialStream(streams.api, path, offer);
}

/** What a refused client is told. */
async function refusal(socket: WebSocket): Promise<{ code: number | undefined; status: Record<string, unknown> }> {
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  return { code: response.statusCode, status: JSON.parse(await text(response)) as Record<string, unknown> };
}

/** The messages of a connection until it is closed, and the code of its close. */
async function heard(socket: WebSocket): Promise<{ messages: string[]; code: number }> {
  const messages: string[] = [];
  socket.on('message', (message: Buffer) => messages.push(`${message[0]} ${message.subarray(1).toString()}`));
  const [code] = (await once(socket, 'close')) as [number];
  return { messages, code };
}

describe('who may open a stream', () => {
  it.each([
    ['without the token', { authorization: 'Bearer x' }, 401],
    ['a web page', { origin: 'https://example.com' }, 403],
    ['a web page of this machine', { origin: 'http://127.0.0.1:1' }, 403],
    ['a browser', { 'sec-fetch-site': 'same-origin' }, 403],
    ['a name that was made to point here', { host: 'evil.example:80' }, 403],
  ])('not %s', async (_, headers, code) => {
    expect(await refusal(dial(CAT, { headers }))).toMatchObject({ code, status: { kind: 'Status', code } });
    expect(streams.pods.started).toEqual([]);
  });
});

describe('what cannot be run', () => {
  it.each([
    ['a container that is none', `${CAT}&container=none`, 'container none is not valid for pod web'],
    ['no command', `${EXEC}?stdout=true`, 'you must specify a command'],
    ['neither input nor output', `${EXEC}?command=ls`, 'you must specify at least 1 of stdin, stdout, stderr'],
  ])('%s', async (_, path, message) => {
    expect(await refusal(dial(path))).toMatchObject({ code: 400, status: { message } });
  });

  it('a container that has ended', async () => {
    const spec = { containers: [{ name: 'done', image: 'x' }] };
    streams.api.store.system.put({ ...runningPod('default', 'over'), spec });
    const { status } = await refusal(dial(CAT.replace('/web/', '/over/')));
    expect(status.message).toBe('container done does not run');
  });

  it('over subprotocols that are not spoken here', async () => {
    const { code, status } = await refusal(dial(CAT, { protocols: ['v1.channel.k8s.io'] }));
    expect(code).toBe(400);
    expect(status.message).toContain('v5.channel.k8s.io, v4.channel.k8s.io');
  });

  it('over SPDY, as old clients ask', async () => {
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1' };
    const { code, text: body } = await streams.api.ask(CAT, { method: 'POST', headers });
    expect(code).toBe(400);
    expect(body).toContain('exec is served over WebSocket, not over SPDY/3.1: use kubectl 1.31 or newer');
  });

  it('over plain HTTP', async () => {
    expect(await streams.api.ask(CAT)).toMatchObject({
      code: 400,
      text: expect.stringContaining('Upgrade request required') as string,
    });
  });
});

describe('a command', () => {
  it.each(['v5.channel.k8s.io', 'v4.channel.k8s.io'])('runs over %s', async (protocol) => {
    const socket = dial(CAT, { protocols: ['nonsense', protocol, 'v3.channel.k8s.io'] });
    const seen = heard(socket);
    const process = await streams.pods.process();
    expect(process.command).toEqual({ command: ['cat'], input: true, terminal: false });
    process.output.write('out');
    process.errors?.write('err');
    process.end(3);
    const { messages, code } = await seen;
    expect({ code, protocol: socket.protocol }).toEqual({ code: 1000, protocol });
    expect(messages.toSorted().slice(0, 2)).toEqual(['1 out', '2 err']);
    expect(messages.at(-1)).toMatch(/^3 .*"ExitCode","message":"3"/);
  });

  it('gets input to its end, and sizes', async () => {
    const socket = dial(`${CAT}&tty=true`);
    const process = await streams.pods.process();
    await once(socket, 'open');
    for (const part of ['a', 'b', 'c']) socket.send(Buffer.from(`\0${part}`));
    socket.send(Buffer.from('\u0004{"Width":80,"Height":25}'));
    socket.send(Uint8Array.of(255, 0));
    expect(await text(process.input ?? process.output)).toBe('abc');
    expect(process.sizes).toEqual([{ columns: 80, rows: 25 }]);
  });

  it('ends with its client', async () => {
    const socket = dial(CAT);
    await once(socket, 'open');
    const process = await streams.pods.process();
    socket.terminate();
    await process.released;
  });

  it('ends with a client that is gone while nothing is read from it', async () => {
    const socket = dial(CAT);
    await once(socket, 'open');
    const process = await streams.pods.process();
    for (let sent = 0; sent < 64; sent++) socket.send(Buffer.alloc(1 << 20)); // nobody reads process.input
    await once(process.input ?? process.output, 'readable');
    socket.terminate();
    await process.released;
  });

  it('ends with the server', async () => {
    const socket = dial(CAT);
    await once(socket, 'open');
    const process = await streams.pods.process();
    const seen = heard(socket);
    await streams.api[Symbol.asyncDispose]();
    await Promise.all([process.released, seen]);
    streams.api = await ApiFixture.start();
  });

  it.each([
    ['text', 'hello'],
    ['a message of no channel', Uint8Array.of(7)],
  ])('is released when the client breaks the protocol: %s', async (_, message) => {
    const socket = dial(CAT);
    await once(socket, 'open');
    const process = await streams.pods.process();
    const seen = heard(socket);
    socket.send(message);
    expect((await seen).code).toBe(1002);
    await process.released;
  });

  it('is not read further than its client takes', async () => {
    const socket = dial(CAT);
    await once(socket, 'open');
    const process = await streams.pods.process();
    socket.pause();
    const chunk = Buffer.alloc(1 << 16);
    let written = 0;
    while (written < 1 << 27 && process.output.write(chunk)) {
      written += chunk.length;
      await new Promise(setImmediate);
    }
    expect(written).toBeLessThan(1 << 27);
    let received = 0;
    socket.on('message', (message: Buffer) => (received += message.length - 1));
    socket.resume();
    process.end(0);
    await once(socket, 'close');
    expect(received).toBeGreaterThanOrEqual(written);
  });
});
