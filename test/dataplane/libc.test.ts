import dgram from 'node:dgram';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import net from 'node:net';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  boundSocket,
  closeFd,
  inNamespace,
  newNetworkNamespace,
  plainSocket,
  SystemCallError,
} from '../../src/dataplane/libc.ts';
import { parseIp } from '../../src/net/ip.ts';

const here = (): string => readlinkSync('/proc/thread-self/ns/net');
const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const;

describe('network namespaces', () => {
  let namespace: number;
  beforeAll(() => {
    namespace = newNetworkNamespace();
    inNamespace(namespace, () => execFileSync('ip', ['link', 'set', 'lo', 'up']));
  });
  afterAll(() => {
    closeFd(namespace);
  });

  test('work runs inside, and the thread comes back', () => {
    const home = here();
    expect(inNamespace(namespace, here)).not.toBe(home);
    expect(here()).toBe(home);
  });

  test('the thread comes back from work that throws, and from nested work', () => {
    const home = here();
    const inner = newNetworkNamespace();
    const failing = (): never => {
      throw new Error('as meant');
    };
    expect(() => inNamespace(namespace, failing)).toThrow('as meant');
    expect(here()).toBe(home);
    inNamespace(namespace, () => {
      const outer = here();
      expect(inNamespace(inner, here)).not.toBe(outer);
      expect(here()).toBe(outer);
    });
    expect(here()).toBe(home);
    closeFd(inner);
  });

  test('a descriptor of something else is refused with its errno', () => {
    expect(() => inNamespace(0, here)).toThrow(SystemCallError);
  });

  test('processes spawned inside belong there', () => {
    const links = (): string => execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' });
    expect(inNamespace(namespace, links).trim().split('\n')).toHaveLength(1);
  });

  describe.each([4, 6] as const)('IPv%i', (family) => {
    test('TCP: a server and a client of Node meet inside', async () => {
      const fd = boundSocket({ namespace, type: 'tcp', address: family, port: 8080 });
      const server = net.createServer((socket) => socket.end('hello'));
      await new Promise<void>((resolve) => server.listen({ fd }, resolve));
      const client = new net.Socket({ fd: plainSocket({ namespace, type: 'tcp', family }) });
      client.connect(8080, LOOPBACK[family]);
      const [data] = (await once(client, 'data')) as [Buffer];
      expect(data.toString()).toBe('hello');
      client.destroy();
      await new Promise((resolve) => server.close(resolve));
    });

    test('TCP: a port where nothing listens is refused', async () => {
      const client = new net.Socket({ fd: plainSocket({ namespace, type: 'tcp', family }) });
      client.connect(8081, LOOPBACK[family]);
      const [error] = (await once(client, 'error', { signal: AbortSignal.timeout(2000) }).catch((caught: unknown) => [
        caught,
      ])) as [NodeJS.ErrnoException];
      expect(error.code).toBe('ECONNREFUSED');
    });

    test('UDP: a datagram goes there and back', async () => {
      const type = family === 4 ? 'udp4' : 'udp6';
      const address = parseIp(LOOPBACK[family]) ?? family;
      const server = dgram.createSocket(type);
      server.bind({ fd: boundSocket({ namespace, type: 'udp', address, port: 5353 }) });
      server.on('message', (message, peer) => {
        server.send(message, peer.port, peer.address);
      });
      const client = dgram.createSocket(type);
      client.bind({ fd: plainSocket({ namespace, type: 'udp', family }) });
      client.send('ping', 5353, LOOPBACK[family]);
      const [message] = (await once(client, 'message')) as [Buffer];
      expect(message.toString()).toBe('ping');
      server.close();
      client.close();
    });
  });

  test('a port in use is EADDRINUSE', () => {
    const binding = { namespace, type: 'udp', address: parseIp('127.0.0.1') ?? 4, port: 5354 } as const;
    const first = boundSocket({ ...binding, type: 'tcp' });
    const server = net.createServer().listen({ fd: first });
    expect(() => boundSocket({ ...binding, type: 'tcp' })).toThrow('EADDRINUSE');
    server.close();
  });
});
