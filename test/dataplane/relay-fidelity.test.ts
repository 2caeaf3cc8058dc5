import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { boundSocket, inNamespace } from '../../src/dataplane/libc.ts';
import { ip } from '../builders/address.ts';
import { dial, tcpAttempt, tcpServer } from './attempt.ts';
import type { TestPod } from './node-network.ts';
import { RelayFixture } from './relay-fixture.ts';

const CHUNK = randomBytes(1 << 20);
const CHUNKS = 64;

/** Adds rules for what comes into a pod. */
function firewall(pod: TestPod, table: string, rules: readonly string[]): void {
  const lines = [`table inet ${table} {`, 'chain in {', 'type filter hook input priority 0;', ...rules, '}', '}', ''];
  inNamespace(pod.namespace, () => execFileSync('nft', ['-f', '-'], { input: lines.join('\n') }));
}

/** Waits for a socket's end. @returns the errors on the way. */
async function errorsOf(socket: net.Socket): Promise<string[]> {
  const errors: string[] = [];
  socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? error.message));
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  return errors;
}

describe.each([4, 6] as const)('a relayed connection is like any other, IPv%i', (family) => {
  const stack = new AsyncDisposableStack();
  let fixture: RelayFixture;
  let relayed: TestPod;
  let server: TestPod;
  let bare: TestPod;
  beforeAll(async () => {
    fixture = stack.use(await RelayFixture.start());
    relayed = fixture.client;
    server = fixture.server;
    bare = fixture.network.attach(4);
  });
  afterAll(() => stack.disposeAsync());

  const target = (port: number) => ({ address: server.address[family], port });

  /** A connection from the relayed pod and its other end, of a server that does nothing by itself. */
  async function pair(
    port: number,
    open = (to: ReturnType<typeof target>) => dial(relayed, to),
  ): Promise<{ near: net.Socket; far: net.Socket }> {
    const arrival = Promise.withResolvers<net.Socket>();
    stack.use(
      await tcpServer(server, port, {
        silent: true,
        onConnection: (socket) => {
          arrival.resolve(socket);
        },
      }),
    );
    const near = open(target(port));
    near.allowHalfOpen = true;
    near.on('error', () => undefined);
    await once(near, 'connect');
    return { near, far: await arrival.promise };
  }

  test('what refuses the relay refuses the client in the same way', async () => {
    const refusals = ['tcp reset', ...['port', 'host'].map((what) => `icmpx ${what}-unreachable`), 'icmpx no-route'];
    const all = [...refusals, 'icmpx admin-prohibited'];
    const rules = all.map((how, index) => `tcp dport ${2000 + index} reject with ${how}`);
    firewall(server, 'refusals', rules);
    inNamespace(server.namespace, () =>
      execFileSync('sysctl', ['-qw', 'net.ipv4.icmp_ratelimit=0', 'net.ipv6.icmp.ratelimit=0']),
    );
    const meet = (pod: TestPod): Promise<string[]> =>
      Promise.all(all.map((_, index) => tcpAttempt(pod, target(2000 + index))));
    const prohibited = family === 4 ? 'EHOSTUNREACH' : 'EACCES';
    const refused = ['ECONNREFUSED', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', prohibited];
    expect(await meet(relayed)).toEqual(refused);
    // Here an ICMPv6 error comes so soon that connect() still holds the socket, which then only notes it.
    if (family === 4) expect(await meet(bare)).toEqual(refused);
  });

  test('nc -z tells open, closed and silent ports apart', async () => {
    await using _open = await tcpServer(server, 80);
    firewall(server, 'silence', ['tcp dport 82 drop']);
    const nc = (pod: TestPod, port: number): string => {
      const started = performance.now();
      try {
        const args = ['-zv', '-w', '1', server.address[family].text, String(port)];
        inNamespace(pod.namespace, () => execFileSync('nc', args, { stdio: 'pipe' }));
        return 'open';
      } catch (error) {
        const said = String((error as { stderr: Buffer }).stderr);
        return `${said.includes('refused') ? 'refused' : said} ${performance.now() - started > 900}`;
      }
    };
    for (const port of [80, 81, 82]) expect(nc(relayed, port)).toBe(nc(bare, port));
    expect([80, 81].map((port) => nc(relayed, port).split(' ')[0])).toEqual(['open', 'refused']);
  });

  test('both see the addresses and ports that they would see', async () => {
    const { near, far } = await pair(1001);
    expect(far.remoteAddress).toBe(relayed.address[family].text);
    expect(far.remotePort).toBe(near.localPort);
    expect(near.remoteAddress).toBe(server.address[family].text);
    near.destroy();
  });

  test.each([
    { bound: 'its address', port: 1014, hasSource: true, sourcePort: 0 },
    { bound: 'a port', port: 1015, hasSource: false, sourcePort: 40_001 },
    { bound: 'both', port: 1016, hasSource: true, sourcePort: 40_002 },
  ])('a client that has bound $bound keeps its port', async ({ port, hasSource, sourcePort }) => {
    const source = hasSource ? { source: relayed.address[family] } : {};
    const { near, far } = await pair(port, (to) => dial(relayed, { ...to, ...source, sourcePort }));
    expect(far.remotePort).toBe(near.localPort);
    near.destroy();
  });

  test('curl and nc keep the port that they are told', async () => {
    const arrivals: (number | undefined)[] = [];
    await using _tcp = await tcpServer(server, 1012, { onConnection: ({ remotePort }) => arrivals.push(remotePort) });
    const { text: address } = server.address[family];
    const host = family === 4 ? address : `[${address}]`;
    const curl = `curl -sSN -m 1 --http0.9 --local-port 40003 -o - http://${host}:1012/ | head -c 5`;
    const nc = `nc -p 40004 -w 1 ${address} 1012 </dev/null | head -c 5`;
    const shell = inNamespace(relayed.namespace, () =>
      spawn('sh', ['-c', `${curl}; ${nc}`], { stdio: ['ignore', 'pipe', 'ignore'] }),
    );
    expect(await text(shell.stdout)).toBe('hellohello');
    expect(arrivals).toEqual([40_003, 40_004]);
  });

  test('a port that its pod listens at, too: the server sees another, the log does not', async () => {
    const { namespace, address } = relayed;
    const fd = boundSocket({ namespace, type: 'tcp', address: address[family], port: 40_005 });
    await using _listener = await tcpServer(relayed, 40_005);
    const { near, far } = await pair(1013, (to) => new net.Socket({ fd }).connect(to.port, to.address.text));
    expect(near.localPort).toBe(40_005);
    expect(far.remotePort).not.toBe(40_005);
    near.destroy();
    far.destroy();
    const isIt = ({ destinationPort }: { destinationPort: number }): boolean => destinationPort === 1013;
    const ended = await fixture.until(() => fixture.carried.find(isIt));
    const began = await fixture.until(() => fixture.judged.find(isIt));
    expect([began.sourcePort, ended.sourcePort]).toEqual([40_005, 40_005]);
  });

  test('half-closed by the client, the server goes on; and the other way round', async () => {
    for (const [port, order] of [
      [1002, 'client first'],
      [1003, 'server first'],
    ] as const) {
      const ends = await pair(port);
      const [first, second] = order === 'client first' ? [ends.near, ends.far] : [ends.far, ends.near];
      first.end('last words');
      const heard: string[] = [];
      second.on('data', (data: Buffer) => heard.push(data.toString()));
      await once(second, 'end');
      expect(heard.join('')).toBe('last words');
      second.write('still here');
      const [data] = (await once(first, 'data')) as [Buffer];
      expect(data.toString()).toBe('still here');
      second.end();
      await once(first, 'close');
    }
    const flows = await fixture.until(() => {
      const both = fixture.carried.filter(
        ({ destinationPort }) => destinationPort === 1002 || destinationPort === 1003,
      );
      return both.length === 2 ? both : undefined;
    });
    expect(flows.map(({ end, sentBytes, receivedBytes }) => [end, sentBytes + receivedBytes])).toEqual([
      ['closed', 20],
      ['closed', 20],
    ]);
  });

  test('a reset of either side resets the other', async () => {
    for (const [port, order] of [
      [1004, 'client'],
      [1005, 'server'],
    ] as const) {
      const { near, far } = await pair(port);
      const [resetting, other] = order === 'client' ? [near, far] : [far, near];
      const errors = errorsOf(other);
      resetting.resetAndDestroy();
      expect(await errors).toEqual(['ECONNRESET']);
    }
  });

  test('what a server says before it resets is heard', async () => {
    const { near, far } = await pair(1006);
    const heard: string[] = [];
    near.on('data', (data: Buffer) => heard.push(data.toString()));
    const errors = errorsOf(near);
    far.write('go away', () => far.resetAndDestroy());
    expect(await errors).toEqual(['ECONNRESET']);
    expect(heard).toEqual(['go away']);
  });

  test('a client that leaves during the dial leaves nothing behind', async () => {
    firewall(server, 'blackhole', ['tcp dport 1007 drop']);
    const dialling = (): string =>
      inNamespace(relayed.namespace, () =>
        execFileSync('ss', ['-Htn', 'state', 'syn-sent', 'dport', '=', ':1007'], { encoding: 'utf8' }),
      );
    const socket = dial(relayed, target(1007));
    await vi.waitFor(() => expect(dialling().trim().split('\n')).toHaveLength(2), 5000); // the client's and the relay's
    socket.destroy();
    await vi.waitFor(() => expect(dialling()).toBe(''), 5000);
  });

  test('64 MiB each way at once arrive as they were sent', async () => {
    const { near, far } = await pair(1008);
    const send = (socket: net.Socket): void => {
      let left = CHUNKS;
      const more = (): void => {
        if (left-- > 0) socket.write(CHUNK, more);
        else socket.end();
      };
      more();
    };
    const digest = async (socket: net.Socket): Promise<string> => {
      const hash = createHash('sha256');
      socket.on('data', (data: Buffer) => hash.update(data));
      await once(socket, 'end');
      return hash.digest('hex');
    };
    const expected = createHash('sha256');
    for (let index = 0; index < CHUNKS; index++) expected.update(CHUNK);
    const digests = Promise.all([digest(near), digest(far)]);
    send(near);
    send(far);
    expect(new Set(await digests)).toEqual(new Set([expected.digest('hex')]));
    const flow = await fixture.until(() => fixture.carried.find(({ destinationPort }) => destinationPort === 1008));
    expect(flow).toMatchObject({ sentBytes: CHUNKS << 20, receivedBytes: CHUNKS << 20, end: 'closed' });
  });

  test('a slow reader holds the sender back and loses nothing', async () => {
    const { near, far } = await pair(1009);
    near.pause();
    let sent = 0;
    far.on('error', () => undefined);
    while (far.write(CHUNK)) sent += 1;
    sent += 1;
    for (let more = 0; more < 15; more++, sent++) far.write(CHUNK);
    far.end();
    const hash = createHash('sha256');
    near.on('data', (data: Buffer) => hash.update(data));
    near.resume();
    await once(near, 'end');
    const expected = createHash('sha256');
    for (let index = 0; index < sent; index++) expected.update(CHUNK);
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
    near.destroy();
  });

  test('1,000 connections at once', { timeout: 60_000 }, async () => {
    await using _tcp = await tcpServer(server, 1010);
    const sockets = await Promise.all(
      Array.from({ length: 1000 }, async (_, index) => {
        const socket = dial(relayed, target(1010));
        await once(socket, 'data');
        socket.write(`number ${index}`);
        const [echo] = (await once(socket, 'data')) as [Buffer];
        expect(echo.toString()).toBe(`number ${index}`);
        return socket;
      }),
    );
    for (const socket of sockets) socket.end();
    const ended = await fixture.until(() => {
      const all = fixture.carried.filter(({ destinationPort }) => destinationPort === 1010);
      return all.length === 1000 ? all : undefined;
    });
    expect(ended.filter(({ end }) => end !== 'closed')).toEqual([]);
  });

  test('a client that is bound to an interface', async () => {
    await using _tcp = await tcpServer(server, 1011);
    const host = family === 4 ? server.address[4].text : `[${server.address[6].text}]`;
    const curl = `curl -sSN -m 1 --http0.9 --interface eth0 -o - http://${host}:1011/ | head -c 5; true`;
    const shell = inNamespace(relayed.namespace, () =>
      spawn('sh', ['-c', curl], { stdio: ['ignore', 'pipe', 'ignore'] }),
    );
    expect(await text(shell.stdout)).toBe('hello');
  });

  test('somebody in the pod who finds the listener is turned away', async () => {
    const listener = inNamespace(relayed.namespace, () => execFileSync('ss', ['-Hltn'], { encoding: 'utf8' }))
      .split('\n')
      .map((line) => /(127\.0\.0\.1|\[::1\]):([0-9]+)/.exec(line))
      .find((found) => found?.[1] === (family === 4 ? '127.0.0.1' : '[::1]'));
    const address = ip(family === 4 ? '127.0.0.1' : '::1');
    expect(await tcpAttempt(relayed, { address, port: Number(listener?.[2]) })).toBe('ECONNRESET');
  });
});
