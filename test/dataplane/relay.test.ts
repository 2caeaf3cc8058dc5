import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type net from 'node:net';
import { setTimeout } from 'node:timers/promises';
import koffi from 'koffi';
import { describe, expect, test } from 'vitest';
import { Conntrack } from '../../src/dataplane/conntrack.ts';
import { Gate } from '../../src/dataplane/gate.ts';
import { Relay } from '../../src/dataplane/relay/relay.ts';
import { RELAY_ADDRESS } from '../../src/dataplane/relay/relay-marks.ts';
import { RuleLoader } from '../../src/dataplane/rule-loader.ts';
import { ip, portNumber } from '../builders/address.ts';
import { policy } from '../builders/policy.ts';
import { dial, tcpAttempt, tcpServer, udpAttempt, udpServer, udpSocket } from './attempt.ts';
import type { TestPod } from './node-network.ts';
import { RelayFixture } from './relay-fixture.ts';
import { soak } from './soak.ts';

const dup2 = koffi.load(null).func('int dup2(int from, int to)') as (from: number, to: number) => number;
const DENY_EGRESS = policy({ pods: { app: 'p2' }, egress: [] });
const SERVICE = { 4: ip('10.96.0.1'), 6: ip('fd00:10:96::1') } as const;

describe.each([4, 6] as const)('verdicts on relayed connections, IPv%i', (family) => {
  test('allowed, denied, closed', async () => {
    await using fixture = await RelayFixture.start();
    const { client, server } = fixture;
    await using _tcp = await tcpServer(server, 80);
    using _udp = udpServer(server, 80);
    const target = { address: server.address[family], port: 80 };
    expect(await tcpAttempt(client, target)).toBe('hello');
    expect(await udpAttempt(client, target)).toBe('ping');
    expect(await tcpAttempt(client, { ...target, port: 81 })).toBe('ECONNREFUSED');
    fixture.enforce(DENY_EGRESS);
    expect(await tcpAttempt(client, target)).toBe('timeout');
    expect(await udpAttempt(client, target)).toBe('timeout');
    fixture.enforce();
    expect(await tcpAttempt(client, target)).toBe('hello');
    expect(fixture.failures).toEqual([]);
  });

  test('rejected looks like a closed port', async () => {
    await using fixture = await RelayFixture.start({ deny: 'reject' });
    const { client, server } = fixture;
    await using _tcp = await tcpServer(server, 80);
    const target = { address: server.address[family], port: 80 };
    expect(await tcpAttempt(client, target)).toBe('hello');
    fixture.enforce(DENY_EGRESS);
    expect(await tcpAttempt(client, target)).toBe('ECONNREFUSED');
  });

  test('Services: judged behind their address, refused without endpoints; the pod itself', async () => {
    await using fixture = await RelayFixture.start();
    const { client, server, plane } = fixture;
    await using _server = await tcpServer(server, 8080, { name: 'server' });
    await using _client = await tcpServer(client, 8080, { name: 'client' });
    const service = (...pods: readonly TestPod[]): Parameters<typeof plane.setServices>[0] => [
      {
        address: SERVICE[family],
        protocol: 'TCP',
        port: portNumber(80),
        endpoints: pods.map(({ address }) => ({ address: address[family], port: portNumber(8080) })),
      },
    ];
    const target = { address: SERVICE[family], port: 80 };
    await plane.setServices(service(server));
    expect(await tcpAttempt(client, target)).toBe('server');
    const { carried } = fixture;
    const flow = await fixture.until(() => carried.find(({ transport }) => transport === 'TCP'));
    expect(flow).toMatchObject({ destination: server.address[family], destinationPort: 8080, receivedBytes: 6 });
    fixture.enforce(policy({ pods: { app: 'p2' }, egress: [{ ports: ['80'] }] }));
    expect(await tcpAttempt(client, target)).toBe('timeout');
    fixture.enforce(DENY_EGRESS);
    await plane.setServices(service(client));
    expect(await tcpAttempt(client, target)).toBe('client');
    expect(await tcpAttempt(client, { address: client.address[family], port: 8080 })).toBe('client');
    await plane.setServices(service());
    expect(await tcpAttempt(client, target)).toBe('ECONNREFUSED');
  });

  test.each([
    { established: 'keep', carries: true },
    { established: 'strict', carries: false },
  ] as const)('a connection when it is denied, $established', async ({ established, carries }) => {
    await using fixture = await RelayFixture.start({ established });
    const { client, server, carried } = fixture;
    const accepted: net.Socket[] = [];
    await using _tcp = await tcpServer(server, 80, { onConnection: (socket) => accepted.push(socket) });
    const socket = dial(client, { address: server.address[family], port: 80 });
    await once(socket, 'data');
    const errors: string[] = [];
    socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? error.message));
    fixture.enforce(DENY_EGRESS);
    if (carries) {
      socket.write('x');
      const [echo] = (await once(socket, 'data')) as [Buffer];
      expect(echo.toString()).toBe('x');
      socket.destroy();
    } else {
      await new Promise((resolve) => socket.once('close', resolve));
      expect(errors).toEqual(['ECONNRESET']);
      const far = accepted[0];
      if (far?.closed === false) await new Promise((resolve) => far.once('close', resolve));
    }
    const flow = await fixture.until(() => carried[0]);
    expect(flow.end).toBe(carries ? 'closed' : 'cut');
  });

  test('strict: what stays allowed is carried on', async () => {
    await using fixture = await RelayFixture.start({ established: 'strict' });
    const { client, server } = fixture;
    await using _tcp = await tcpServer(server, 80);
    const socket = dial(client, { address: server.address[family], port: 80 });
    await once(socket, 'data');
    fixture.enforce(policy({ pods: { app: 'p2' }, egress: [{ ports: ['80'] }] }));
    socket.write('x');
    const [echo] = (await once(socket, 'data')) as [Buffer];
    expect(echo.toString()).toBe('x');
    socket.destroy();
  });

  test('strict: conntrack cuts nothing of what the relay carries, not after a lost SYN either', async () => {
    await using fixture = await RelayFixture.start({ established: 'strict' });
    const { client, server } = fixture;
    await using _tcp = await tcpServer(server, 80);
    const rules = new RuleLoader(server.namespace);
    rules.nftAtOnce(
      'table inet lossy {\nchain prerouting {\ntype filter hook prerouting priority raw;\ntcp dport 80 drop\n}\n}\n',
    );
    const socket = dial(client, { address: server.address[family], port: 80 });
    await setTimeout(500);
    rules.nftAtOnce('delete table inet lossy\n');
    await once(socket, 'data'); // the relay's SYN comes again after a second
    const conntrack = new Conntrack(client.namespace);
    expect(conntrack.flows()).toEqual([]);
    conntrack.close();
    socket.destroy();
  });

  test('nobody else leaves by the address of the relay', async () => {
    await using fixture = await RelayFixture.start();
    const { client, server, network } = fixture;
    await using _tcp = await tcpServer(server, 80);
    const source = ip(RELAY_ADDRESS[family]);
    network.runIn(client, [`addr add ${source.text}/${family === 4 ? 32 : '128 nodad'} dev lo`]);
    const target = { address: server.address[family], port: 80 };
    expect(await tcpAttempt(client, target)).toBe('hello');
    expect(await tcpAttempt(client, { ...target, source })).toBe('timeout');
    expect(fixture.judged).toHaveLength(1);
  });

  test('UDP: each datagram is judged and counted, flow by flow', async () => {
    await using fixture = await RelayFixture.start();
    const { client, server, carried } = fixture;
    using _one = udpServer(server, 53);
    using _other = udpServer(server, 54);
    const socket = udpSocket(client, family, 4000);
    const ask = async (port: number, patienceMs: number): Promise<string> => {
      socket.send('ping', port, server.address[family].text);
      return once(socket, 'message', { signal: AbortSignal.timeout(patienceMs) }).then(
        ([answer]) => String(answer as Buffer),
        () => 'timeout',
      );
    };
    for (const port of [53, 54, 53, 53]) expect(await ask(port, 2000)).toBe('ping');
    fixture.enforce(policy({ pods: { app: 'p2' }, egress: [{ ports: ['54/UDP'] }] }));
    const cut = await fixture.until(() => carried[0]);
    const size = (family === 4 ? 20 : 40) + 8 + 4;
    expect(cut).toMatchObject({
      transport: 'UDP',
      sourcePort: 4000,
      destinationPort: 53,
      datagrams: 3,
      sentBytes: 3 * size,
    });
    expect(cut.end).toBe('cut');
    expect(await ask(53, 300)).toBe('timeout');
    expect(await ask(54, 2000)).toBe('ping');
    socket.close();
    await fixture.stop();
    const rest = await fixture.until(() => carried[1]);
    expect(rest).toMatchObject({ destinationPort: 54, datagrams: 2, end: 'closed' });
  });
});

test('a relay that has died: its connections end, and nothing passes', async () => {
  await using fixture = await RelayFixture.start();
  const { client, server, failures } = fixture;
  await using _tcp = await tcpServer(server, 80);
  const target = { address: server.address[4], port: 80 };
  const socket = dial(client, target);
  socket.on('error', () => undefined);
  await once(socket, 'data');
  const ended = new Promise((resolve) => socket.once('close', resolve));
  // Its next wait for events fails.
  const nowhere = openSync('/dev/null', 'r');
  dup2(nowhere, fixture.relay.data.epoll);
  closeSync(nowhere);
  expect(await tcpAttempt(client, target)).toBe('timeout');
  await ended;
  await fixture.until(() => failures[0]);
  expect(await tcpAttempt(client, target)).toBe('timeout');
});

test('a gate that does not start closes its relay', async () => {
  await using fixture = await RelayFixture.start();
  const { namespace, addresses } = fixture.server;
  const open = (): Promise<Relay> =>
    Relay.open({ namespace, queue: 1, gateQueue: 0, addresses, established: 'keep', onCarried: () => undefined });
  const starting = Gate.start({
    namespace,
    queue: 0,
    table: new SharedArrayBuffer(64),
    deny: 'drop',
    relay: await open(),
    onFlows: () => undefined,
    onFailure: () => undefined,
  });
  await expect(starting).rejects.toThrow();
  const next = await open(); // the queue is free again
  await next.close();
});

test('2,000 connections, sixteen at a time, meet no fault', { timeout: 60_000 }, async () => {
  await using fixture = await RelayFixture.start();
  const faultless = { connections: 2000, faults: [], oddRecords: [], orphans: 0, leftOpen: [] };
  expect(await soak(fixture, 2000)).toEqual(faultless);
});
