import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inNamespace } from '../../src/dataplane/libc.ts';
import { policy } from '../builders/policy.ts';
import { echoAttempt } from './echo.ts';
import { dial, tcpAttempt, tcpServer, udpAttempt, udpServer } from './attempt.ts';
import { CLOSED, OPEN, startFixture, tableOf, type Fixture } from './fixture.ts';
import { NodeNetwork, type TestPod } from './node-network.ts';

const FAMILIES = [4, 6] as const;

describe('verdicts on real connections', () => {
  let fixture: Fixture;
  let client: TestPod;
  let server: TestPod;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    fixture = stack.use(await startFixture());
    [client, server] = fixture.pods;
    stack.use(await tcpServer(server, 80));
    stack.use(udpServer(server, 53));
  });
  afterAll(() => stack.disposeAsync());

  describe.each(FAMILIES)('IPv%i', (family) => {
    const target = (port: number) => ({ address: server.address[family], port });
    const cases: readonly { name: string; table: SharedArrayBuffer; tcp: string; udp: string; closedPort: string }[] = [
      { name: 'without policies', table: OPEN, tcp: 'hello', udp: 'ping', closedPort: 'ECONNREFUSED' },
      { name: 'ingress denied', table: CLOSED, tcp: 'timeout', udp: 'timeout', closedPort: 'timeout' },
      {
        name: 'egress denied',
        table: tableOf([policy({ egress: [] })]),
        tcp: 'timeout',
        udp: 'timeout',
        closedPort: 'timeout',
      },
      {
        name: 'TCP 80 allowed',
        table: tableOf([policy({ ingress: [{ ports: ['80'] }] })]),
        tcp: 'hello',
        udp: 'timeout',
        closedPort: 'timeout',
      },
      {
        name: 'UDP allowed from the client',
        table: tableOf([policy({ ingress: [{ from: [{ pods: { app: 'p1' } }], ports: ['*/UDP'] }] })]),
        tcp: 'timeout',
        udp: 'ping',
        closedPort: 'timeout',
      },
    ];
    test.each(cases)('$name', async ({ table, tcp, udp, closedPort }) => {
      fixture.plane.swap(table);
      const outcomes = await Promise.all([
        tcpAttempt(client, target(80)),
        udpAttempt(client, target(53)),
        tcpAttempt(client, target(81)),
      ]);
      expect(outcomes).toEqual([tcp, udp, closedPort]);
    });

    test('ICMP passes only where a rule names no ports', () => {
      const outcomes = [OPEN, CLOSED, tableOf([policy({ ingress: [{ ports: ['80'] }] })])].map((table) => {
        fixture.plane.swap(table);
        return echoAttempt(client, server.address[family]);
      });
      expect(outcomes).toEqual([true, false, false]);
    });

    test('the node reaches a pod that denies everybody', async () => {
      fixture.plane.swap(CLOSED);
      const node: TestPod = { ...client, namespace: fixture.network.namespace };
      expect(await tcpAttempt(node, target(80))).toBe('hello');
    });

    test('a forged source address is dropped', async () => {
      fixture.plane.swap(OPEN);
      const [, , other] = fixture.pods;
      const forged = family === 4 ? '10.0.0.77' : 'fd00::77';
      const length = family === 4 ? 32 : 128;
      NodeNetwork.configure(other, [
        `addr add ${forged}/${length} dev eth0${family === 4 ? '' : ' nodad'}`,
        family === 4
          ? `route replace default via 169.254.1.1 src ${forged}`
          : `route replace default via fe80::1 dev eth0 src ${forged}`,
      ]);
      const before = fixture.flows.length;
      expect(await udpAttempt(other, target(53))).toBe('timeout');
      expect(fixture.flows.slice(before).filter(({ source }) => source.text === forged)).toEqual([]);
      NodeNetwork.configure(other, [`addr del ${forged}/${length} dev eth0`]);
    });

    test('what was judged is reported, repeated SYNs once', async () => {
      fixture.plane.swap(CLOSED);
      const before = fixture.flows.length;
      // Longer than a second, after which the kernel sends the SYN again.
      await tcpAttempt(client, { ...target(80), sourcePort: 4242, timeoutMs: 1300 });
      const flows = fixture.flows.slice(before);
      expect(flows).toHaveLength(1);
      expect(flows[0]).toMatchObject({
        source: client.address[family],
        destination: server.address[family],
        transport: 'TCP',
        sourcePort: 4242,
        destinationPort: 80,
        bits: 2,
      });
    });

    test('a flush tells at once of what was judged before', async () => {
      fixture.plane.swap(OPEN);
      for (let sourcePort = 4300; sourcePort < 4310; sourcePort++) {
        expect(await tcpAttempt(client, { ...target(80), sourcePort })).toBe('hello');
        fixture.plane.flush();
        expect(fixture.flows.at(-1)).toMatchObject({ sourcePort, bits: 0 });
      }
    });
  });

  test('a damaged table is refused, and the old one stays in force', async () => {
    fixture.plane.swap(CLOSED);
    expect(() => fixture.plane.swap(new SharedArrayBuffer(64))).toThrow();
    expect(await tcpAttempt(client, { address: server.address[4], port: 80 })).toBe('timeout');
  });

  test('real tools see what they see in a cluster', () => {
    const nc = (): void => {
      const arguments_ = ['-z', '-w', '1', server.address[4].text, '80'];
      inNamespace(client.namespace, () => execFileSync('nc', arguments_, { stdio: 'pipe' }));
    };
    fixture.plane.swap(CLOSED);
    expect(nc).toThrow();
    fixture.plane.swap(OPEN);
    expect(nc).not.toThrow();
  });
});

test.each(FAMILIES)('reject: TCP and UDP are refused at once, IPv%i', async (family) => {
  await using fixture = await startFixture({ deny: 'reject', table: CLOSED });
  const [client, server] = fixture.pods;
  const address = server.address[family];
  await using _tcp = await tcpServer(server, 80);
  using _udp = udpServer(server, 53);
  expect(await tcpAttempt(client, { address, port: 80 })).toBe('ECONNREFUSED');
  expect(await udpAttempt(client, { address, port: 53 })).toBe('ECONNREFUSED');
});

describe.each(FAMILIES)('established connections, IPv%i', (family) => {
  test.each([
    { established: 'keep', carries: true },
    { established: 'strict', carries: false },
  ] as const)('$established', async ({ established, carries }) => {
    await using fixture = await startFixture({ established });
    const [client, server] = fixture.pods;
    await using _tcp = await tcpServer(server, 80);
    const socket = dial(client, { address: server.address[family], port: 80 });
    socket.on('error', () => undefined);
    await once(socket, 'data');
    const answered = async (): Promise<boolean> => {
      socket.write('x');
      return once(socket, 'data', { signal: AbortSignal.timeout(400) }).then(
        () => true,
        () => false,
      );
    };
    expect(await answered()).toBe(true);
    fixture.plane.swap(CLOSED);
    expect(await answered()).toBe(carries);
    socket.destroy();
  });

  test('keep: a new pod with the address and port of the old one does not ride on its connection', async () => {
    await using fixture = await startFixture();
    const { network, plane, pods } = fixture;
    const [client, server] = pods;
    const accepted: net.Socket[] = [];
    await using _tcp = await tcpServer(server, 80, { onConnection: (socket) => accepted.push(socket) });
    const target = { address: server.address[family], port: 80, sourcePort: 4000 };
    const socket = dial(client, target);
    await once(socket, 'data');
    network.detach(client);
    socket.destroy();
    const successor = network.attach(1);
    await plane.firewall.setPods([successor, server]);
    plane.swap(CLOSED);
    expect(await tcpAttempt(successor, target)).toBe('timeout');
    // Had one SYN reached the server, it would have answered, and the pod's reset would have ended the old connection.
    expect(accepted.map(({ destroyed }) => destroyed)).toEqual([false]);
  });

  test('strict: a connection that is allowed again goes on', async () => {
    await using fixture = await startFixture({ established: 'strict' });
    const [client, server] = fixture.pods;
    await using _tcp = await tcpServer(server, 80);
    const socket = dial(client, { address: server.address[family], port: 80 });
    await once(socket, 'data');
    fixture.plane.swap(CLOSED);
    socket.write('x');
    fixture.plane.swap(OPEN);
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toBe('x');
    socket.destroy();
  });
});

describe('without a gate', () => {
  test('nothing passes after it has stopped', async () => {
    const fixture = await startFixture();
    const [client, server] = fixture.pods;
    await using _tcp = await tcpServer(server, 80);
    await fixture.plane.stop();
    inNamespace(fixture.network.namespace, () => execFileSync('sysctl', ['-q', '-w', 'net.ipv4.ip_forward=1']));
    expect(await tcpAttempt(client, { address: server.address[4], port: 80 })).toBe('timeout');
    expect(fixture.failures).toEqual([]);
    fixture.network.close();
  });

  test('nothing passes after its thread has died, and that is reported', async () => {
    await using fixture = await startFixture();
    const [client, server] = fixture.pods;
    await using _tcp = await tcpServer(server, 80);
    const target = { address: server.address[4], port: 80 };
    const table = tableOf([]);
    expect(await tcpAttempt(client, target)).toBe('hello');
    fixture.plane.swap(table);
    // The thread opens it with the next packet, and ends over it.
    new Uint8Array(table).fill(0xff);
    expect(await tcpAttempt(client, target)).toBe('timeout');
    expect(await tcpAttempt(client, target)).toBe('timeout');
    expect(fixture.failures).toHaveLength(1);
  });

  test('nothing passes before a pod is attached by name and address', async () => {
    await using fixture = await startFixture();
    const [client, server] = fixture.pods;
    await using _tcp = await tcpServer(server, 80);
    await fixture.plane.firewall.setPods([server]);
    expect(await tcpAttempt(client, { address: server.address[4], port: 80 })).toBe('timeout');
  });
});

test('a queue that another gate holds is refused with what to do', async () => {
  await using fixture = await startFixture();
  const { Gate } = await import('../../src/dataplane/gate.ts');
  const second = Gate.start({
    namespace: fixture.network.namespace,
    queue: 0,
    table: OPEN,
    deny: 'drop',
    onFlows: () => undefined,
    onFailure: () => undefined,
  });
  await expect(second).rejects.toMatchObject({ name: 'LabError', code: 'environment' });
});
