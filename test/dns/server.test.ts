import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { DnsServer, MAX_TCP_CONNECTIONS, TCP_IDLE_MS } from '../../src/dns/server.ts';
import { framed } from '../../src/dns/tcp-messages.ts';
import type { Zone } from '../../src/dns/zone.ts';
import { query, read } from './dns-message.ts';
import { crowdedZone, exampleZone } from './example-zone.ts';
import { boundSocket, closeSocket, portSockets } from './loopback-socket.ts';

const WEB = 'web.default.svc.cluster.local';
const BIG = 'big.default.svc.cluster.local';
const run = promisify(execFile);

interface RunningServer extends AsyncDisposable {
  readonly server: DnsServer;
  readonly port: number;
}

async function serve(zone: Zone | (() => Zone) = exampleZone(), tcpIdleMs = TCP_IDLE_MS): Promise<RunningServer> {
  const { port, udp, tcp } = portSockets();
  const server = await DnsServer.listen({
    udpFds: [udp],
    tcpFds: [tcp],
    zone: typeof zone === 'function' ? zone : () => zone,
    tcpIdleMs,
  });
  return { server, port, [Symbol.asyncDispose]: () => server.close() };
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/** The ids of all responses until the server ends the connection. */
async function idsOf(socket: Socket): Promise<number[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  const ids: number[] = [];
  for (let rest = Buffer.concat(chunks); rest.length > 0; rest = rest.subarray(2 + rest.readUInt16BE(0))) {
    ids.push(read(rest.subarray(2)).id);
  }
  return ids;
}

async function askByUdp(family: 4 | 6, port: number, message: Buffer): Promise<Buffer> {
  const client = createSocket(family === 4 ? 'udp4' : 'udp6');
  const response = once(client, 'message') as Promise<[Buffer]>;
  client.send(message, port, family === 4 ? '127.0.0.1' : '::1');
  const [bytes] = await response;
  client.close();
  return bytes;
}

/** What a real dig prints; it must not try twice to hide a lost answer. */
async function dig(port: number, ...options: string[]): Promise<string> {
  const { stdout } = await run('dig', ['@127.0.0.1', '-p', String(port), '+tries=1', '+time=5', ...options]);
  return stdout.trim();
}

describe('real clients', () => {
  it.each([
    ['A', [WEB, 'A'], '10.96.0.20'],
    ['AAAA', [WEB, 'AAAA'], 'fd00:10:96::14'],
    ['SRV', [`_http._tcp.${WEB}`, 'SRV'], `0 100 80 ${WEB}.`],
    ['PTR', ['-x', '10.96.0.20'], `${WEB}.`],
    ['PTR of IPv6', ['-x', 'fd00:10:96::14'], `${WEB}.`],
    ['TXT', ['dns-version.cluster.local', 'TXT'], '"1.1.0"'],
    ['CNAME', ['to-outside.default.svc.cluster.local', 'A'], 'www.example.com.\n192.0.2.80'],
    ['TCP', ['+tcp', WEB, 'A'], '10.96.0.20'],
    ['without EDNS', ['+noedns', WEB, 'A'], '10.96.0.20'],
  ])('dig: %s', async (_, options, expected) => {
    await using running = await serve();
    expect(await dig(running.port, '+short', ...options)).toBe(expected);
  });

  it.each([
    ['NXDOMAIN', ['missing.default.svc.cluster.local'], /status: NXDOMAIN.*flags: qr aa rd;.*ns\.dns\.cluster\.local/s],
    ['NODATA', [WEB, 'MX'], /status: NOERROR.*ANSWER: 0, AUTHORITY: 1/s],
    ['EDNS', [WEB], /EDNS: version: 0, flags:; udp: 1232/],
    ['later EDNS', ['+edns=1', '+noednsnegotiation', WEB], /status: BADVERS/],
    ['another class', ['-c', 'CH', 'version.bind', 'TXT'], /status: REFUSED/],
    ['another opcode', ['+opcode=STATUS', WEB], /opcode: STATUS, status: NOTIMP/],
  ])('dig: %s', async (_, options, expected) => {
    await using running = await serve();
    const output = await dig(running.port, ...options);
    expect(output).toMatch(expected);
    expect(output).not.toMatch(/malformed|mismatch/i);
  });

  it('dig asks again over TCP for what UDP cannot hold', async () => {
    await using running = await serve(crowdedZone(300));
    const output = await dig(running.port, BIG);
    expect(output).toContain('Truncated, retrying in TCP mode');
    expect(output).toContain('ANSWER: 300');
    expect(await dig(running.port, '+ignore', BIG)).toMatch(/flags: qr aa tc rd;/);
  });

  it('nslookup finds a Service by its search domains', async () => {
    await using running = await serve();
    const options = [`-port=${running.port}`, '-search', '-domain=default.svc.cluster.local'];
    const { stdout } = await run('nslookup', [...options, 'web', '127.0.0.1']);
    expect(stdout).toMatch(new RegExp(`Name:\\s+${WEB}\\nAddress: 10\\.96\\.0\\.20`));
    expect(stdout).toContain('Address: fd00:10:96::14');
  });

  it('nslookup says NXDOMAIN', async () => {
    await using running = await serve();
    const failed = run('nslookup', [`-port=${running.port}`, 'nowhere.example.org', '127.0.0.1']);
    await expect(failed).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining("** server can't find nowhere.example.org: NXDOMAIN") as string,
    });
  });
});

describe('UDP', () => {
  it.each([4, 6] as const)('serves IPv%i', async (family) => {
    const { fd, port } = boundSocket('udp', family);
    const fds = family === 4 ? { udpFds: [fd] } : { udpFds: [], udp6Fds: [fd] };
    await using server = await DnsServer.listen({ ...fds, tcpFds: [], zone: exampleZone });
    expect(server).toBeInstanceOf(DnsServer);
    expect(read(await askByUdp(family, port, query(WEB, 'A'))).answers).toEqual([`${WEB} 5 A 10.96.0.20`]);
  });

  it('outlives messages that are no queries', async () => {
    await using running = await serve();
    const client = createSocket('udp4');
    const answered = once(client, 'message') as Promise<[Buffer]>;
    // Loopback keeps the order: the answer to the last shows that the others were read.
    for (const message of [Buffer.alloc(0), Buffer.from('junk'), query(WEB, 'A', { type: 'response' })]) {
      client.send(message, running.port, '127.0.0.1');
    }
    client.send(query(WEB, 'A', { id: 2 }), running.port, '127.0.0.1');
    const [first] = await answered;
    client.close();
    expect(read(first).id).toBe(2);
  });

  it('answers from the zone of the moment', async () => {
    let zone = exampleZone();
    await using running = await serve(() => zone);
    expect(read(await askByUdp(4, running.port, query(BIG, 'A'))).rcode).toBe('NXDOMAIN');
    zone = crowdedZone(1);
    expect(read(await askByUdp(4, running.port, query(BIG, 'A'))).answers).toEqual([`${BIG} 5 A 10.250.0.0`]);
  });
});

describe('TCP', () => {
  it('answers many queries of one connection in their order, though the client has ended its side', async () => {
    await using running = await serve(crowdedZone(300));
    const ids = Array.from({ length: 200 }, (_, index) => index);
    const socket = await open(running.port);
    socket.end(Buffer.concat(ids.map((id) => framed(query(BIG, 'A', { id })))));
    expect(await idsOf(socket)).toEqual(ids);
  });

  it('waits for the rest of a query', async () => {
    await using running = await serve();
    const socket = await open(running.port);
    socket.setNoDelay(true);
    const [whole, partial] = [framed(query(WEB, 'A', { id: 1 })), framed(query(WEB, 'A', { id: 2 }))];
    const first = once(socket, 'data') as Promise<[Buffer]>;
    socket.write(Buffer.concat([whole, partial.subarray(0, 1)]));
    const [bytes] = await first;
    expect(read(bytes.subarray(2)).id).toBe(1);
    socket.end(partial.subarray(1));
    expect(await idsOf(socket)).toEqual([2]);
  });

  it('closes the connection at a message that is no query by its length', async () => {
    await using running = await serve();
    const socket = await open(running.port);
    socket.write(Buffer.from([0xff, 0xff, 1, 2, 3]));
    expect(await idsOf(socket)).toEqual([]);
  });

  it('serves others after a client has reset its connection', async () => {
    await using running = await serve(crowdedZone(300));
    const rude = await open(running.port);
    rude.write(Buffer.concat(Array.from({ length: 500 }, () => framed(query(BIG, 'A')))));
    await once(rude, 'readable');
    rude.resetAndDestroy();
    const polite = await open(running.port);
    polite.end(framed(query(BIG, 'A', { id: 9 })));
    expect(await idsOf(polite)).toEqual([9]);
  });

  it(`takes ${MAX_TCP_CONNECTIONS} connections at a time`, async () => {
    await using running = await serve();
    const sockets: Socket[] = [];
    while (sockets.length < MAX_TCP_CONNECTIONS) sockets.push(await open(running.port));
    const last = sockets.at(-1);
    last?.write(framed(query(WEB, 'A')));
    if (last) await once(last, 'data');
    const surplus = connect(running.port, '127.0.0.1');
    surplus.on('error', () => undefined);
    const received: Buffer[] = [];
    surplus.on('data', (bytes) => received.push(bytes));
    surplus.write(framed(query(WEB, 'A')));
    await once(surplus, 'close');
    expect(received).toEqual([]);
    for (const socket of sockets) socket.destroy();
  });

  it('closes a connection that is silent for too long, and not before', async () => {
    const idleMs = 300;
    await using running = await serve(exampleZone(), idleMs);
    const since = performance.now();
    const socket = await open(running.port);
    expect(await idsOf(socket)).toEqual([]);
    expect(performance.now() - since).toBeGreaterThan(idleMs - 10);
  });
});

describe('life cycle', () => {
  it('ends open connections when it closes, and gives the port back', async () => {
    const running = await serve();
    const socket = await open(running.port);
    socket.write(framed(query(WEB, 'A')));
    await once(socket, 'data');
    const ended = once(socket, 'close');
    socket.on('end', () => socket.end());
    socket.on('error', () => undefined);
    await Promise.all([running.server.close(), running.server.close()]);
    await ended;
    const refused = connect(running.port, '127.0.0.1');
    await expect(once(refused, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it.each([
    ['a TCP socket as UDP', 'tcp', 4, 'udpFds', { code: 'ERR_INVALID_FD_TYPE' }],
    ['a socket of IPv6 as one of IPv4', 'udp', 6, 'udpFds', { message: expect.stringContaining('IPv6') as string }],
    ['a socket of IPv4 as one of IPv6', 'udp', 4, 'udp6Fds', { message: expect.stringContaining('IPv4') as string }],
  ] as const)('refuses %s and closes what it has taken', async (_, kind, family, list, error) => {
    const taken = boundSocket('udp', 4);
    const wrong = boundSocket(kind, family);
    const fds = { udpFds: [taken.fd], udp6Fds: [], tcpFds: [] };
    const listening = DnsServer.listen({ ...fds, [list]: [...fds[list], wrong.fd], zone: exampleZone });
    await expect(listening).rejects.toMatchObject(error);
    const again = createSocket('udp4');
    const bound = once(again, 'listening');
    again.bind(taken.port, '127.0.0.1');
    await bound;
    again.close();
    if (kind === 'tcp') closeSocket(wrong.fd);
  });
});
