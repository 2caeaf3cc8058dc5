import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { containerStream } from '../../src/lab/compose/container-stream.ts';
import { docker } from './engine.ts';

const CONTAINER = `container-stream-${process.pid}`;
const SOCKET = '/tmp/echo.sock';
// Says when it listens, and answers with what it is sent.
const ECHO = `require('http').createServer((request, response) => request.pipe(response))
  .listen('${SOCKET}', () => console.log('listening'))`;

async function post(socket: string, body: string): Promise<string> {
  const call = request({
    createConnection: () => containerStream(CONTAINER, socket),
    method: 'POST',
  });
  call.end(body);
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  return text(response);
}

beforeAll(async () => {
  const named = ['--name', CONTAINER, '--network', 'none', '--init'];
  await docker('run', '--detach', ...named, '--entrypoint', 'node', 'netpol-lab', '--eval', ECHO);
  await vi.waitFor(async () => expect(await docker('logs', CONTAINER)).toBe('listening'), 10_000);
});

afterAll(() => docker('rm', '--force', CONTAINER));

it('carries HTTP to a socket in a container and back, large bodies too', async () => {
  const large = 'x'.repeat(3_000_000);
  expect(await Promise.all([post(SOCKET, 'hello'), post(SOCKET, large)])).toEqual(['hello', large]);
});

it('fails where nobody listens', async () => {
  await expect(post('/tmp/nobody.sock', 'hello')).rejects.toThrow();
});

it('may be ended after the far side has ended', async () => {
  const stream = containerStream(CONTAINER, '/tmp/nobody.sock');
  stream.resume();
  await once(stream, 'end');
  await docker('exec', CONTAINER, 'true'); // by then the program that carried it is gone
  stream.end();
  await once(stream, 'close'); // rejects if an error comes first
});
