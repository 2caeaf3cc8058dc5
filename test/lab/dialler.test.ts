import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dial } from '../../src/lab/netns/dialler.ts';
import { ip } from '../builders/address.ts';

const SERVER = `
  const udp = require('node:dgram').createSocket('udp4');
  udp.on('message', (message, { port, address }) => setTimeout(() => udp.send(message, port, address), 100));
  require('node:net').createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1', function () {
    const { port } = this.address();
    udp.bind(port, '127.0.0.1', () => console.log(port));
  });`;

const server = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
let port = 0;
beforeAll(async () => {
  const [line] = (await once(server.stdout.setEncoding('utf8'), 'data')) as [string];
  port = Number(line);
});
afterAll(() => {
  server.kill();
});

test.each(['TCP', 'UDP'] as const)(
  'an answer by %s that came while this process stood still is no timeout',
  async (protocol) => {
    const attempt = dial({ namespace: undefined, address: ip('127.0.0.1'), protocol, port, timeoutMs: 50 });
    await new Promise(setImmediate); // it is sent
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    expect(await attempt).toMatchObject({ outcome: { kind: 'connected' } });
  },
);

test('without an answer it is a timeout', async () => {
  const silent = dial({ namespace: undefined, address: ip('127.0.0.1'), protocol: 'UDP', port, timeoutMs: 10 });
  expect(await silent).toMatchObject({ outcome: { kind: 'timeout' } });
});
