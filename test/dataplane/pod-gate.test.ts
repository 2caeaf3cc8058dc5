import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { DataPlane } from '../../src/dataplane/dataplane.ts';
import type { ServiceRule } from '../../src/dataplane/firewall.ts';
import { boundSocket, inNamespace } from '../../src/dataplane/libc.ts';
import { PodFirewall } from '../../src/dataplane/pod-firewall.ts';
import type { NetworkPolicy } from '../../src/model/policy.ts';
import type { Family } from '../../src/net/ip.ts';
import { compile } from '../../src/table/compile.ts';
import { ip, portNumber } from '../builders/address.ts';
import { cluster } from '../builders/cluster.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { dial, tcpAttempt, tcpServer, udpAttempt, udpServer, udpSocket } from './attempt.ts';
import { BridgeNetwork, GATEWAY } from './bridge-network.ts';
import type { TestPod } from './node-network.ts';

const DENY_INGRESS = policy({ pods: { app: 'p3' }, ingress: [] });
const DENY_EGRESS = policy({ pods: { app: 'p2' }, egress: [] });
const SERVICE = { 4: ip('10.96.0.1'), 6: ip('fd00:10:96::1') } as const;

/** Pods 2 and 3 on a bridge, each with a gate of its own that knows its own pod's rows only. */
class Fixture implements AsyncDisposable {
  readonly network = new BridgeNetwork();
  readonly client = this.network.attach(2);
  readonly server = this.network.attach(3);
  readonly planes: DataPlane<PodFirewall>[] = [];
  readonly #options: { deny: 'drop' | 'reject'; established: 'keep' | 'strict' };

  private constructor(options: Partial<{ deny: 'drop' | 'reject'; established: 'keep' | 'strict' }>) {
    this.#options = { deny: 'drop', established: 'keep', ...options };
  }

  static async start(options: Partial<{ deny: 'drop' | 'reject'; established: 'keep' | 'strict' }> = {}) {
    const fixture = new Fixture(options);
    fixture.planes.push(await fixture.gate(fixture.client), await fixture.gate(fixture.server));
    return fixture;
  }

  async gate(of: TestPod, policies: readonly NetworkPolicy[] = []): Promise<DataPlane<PodFirewall>> {
    const place = { namespace: of.namespace, queue: 0 };
    const firewall = PodFirewall.closed(place);
    firewall.setAddresses(of.addresses);
    const closing = firewall.prepare(this.#options.established).then(() => firewall);
    const onFailure = (error: Error): never => {
      throw error;
    };
    const table = tableOf(of, policies);
    return DataPlane.start({ ...place, table, deny: this.#options.deny, onFlows: () => undefined, onFailure }, closing);
  }

  /** Puts the policies in force in both pods. */
  enforce(...policies: readonly NetworkPolicy[]): void {
    this.planes[0]?.swap(tableOf(this.client, policies));
    this.planes[1]?.swap(tableOf(this.server, policies));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const plane of this.planes) await plane.stop();
    this.network[Symbol.dispose]();
  }
}

function tableOf(subject: TestPod, policies: readonly NetworkPolicy[]): SharedArrayBuffer {
  const node = [GATEWAY[4].text, GATEWAY[6].text];
  const pods = [2, 3].map((number) =>
    pod({
      name: `p${number}`,
      labels: { app: `p${number}` },
      ip: [`10.244.0.${number}`, `fd00:10:244::${number}`],
      node,
    }),
  );
  const isSubject = ({ addresses }: { addresses: readonly { text: string }[] }): boolean =>
    addresses[0]?.text === subject.address[4].text;
  return compile(cluster({ pods, policies }), { subjects: isSubject }).buffer;
}

/** A Service's port, and these pods as its endpoints. */
function serviceOf(family: Family, ...pods: readonly TestPod[]): ServiceRule {
  return {
    address: SERVICE[family],
    protocol: 'TCP',
    port: portNumber(80),
    endpoints: pods.map(({ address }) => ({ address: address[family], port: portNumber(8080) })),
  };
}

function shellIn({ namespace }: TestPod, command: string): string {
  return inNamespace(namespace, () => execFileSync('sh', ['-c', command], { encoding: 'utf8' }));
}

describe.each([4, 6] as const)('a gate in each pod, IPv%i', (family) => {
  test.each(
    (['keep', 'strict'] as const).flatMap((established) => [
      [established, 'nothing', [], 'hello'] as const,
      [established, 'ingress of the server', [DENY_INGRESS], 'timeout'] as const,
      [established, 'egress of the client', [DENY_EGRESS], 'timeout'] as const,
    ]),
  )('%s, denied: %s', async (established, _, policies, outcome) => {
    await using fixture = await Fixture.start({ established });
    const { client, server } = fixture;
    await using _tcp = await tcpServer(server, 80);
    using _udp = udpServer(server, 80);
    const target = { address: server.address[family], port: 80 };
    expect(await tcpAttempt(client, target)).toBe('hello');
    fixture.enforce(...policies);
    expect(await tcpAttempt(client, target)).toBe(outcome);
    expect(await udpAttempt(client, target)).toBe(outcome === 'hello' ? 'ping' : outcome);
  });

  test.each([
    ['ingress', DENY_INGRESS],
    ['egress', DENY_EGRESS],
  ])('a rejected %s looks like a closed port', async (_, denial) => {
    await using fixture = await Fixture.start({ deny: 'reject' });
    const { client, server } = fixture;
    await using _tcp = await tcpServer(server, 80);
    using _udp = udpServer(server, 80);
    const target = { address: server.address[family], port: 80 };
    expect(await tcpAttempt(client, { ...target, port: 81 })).toBe('ECONNREFUSED');
    expect(await udpAttempt(client, { ...target, port: 81 })).toBe('ECONNREFUSED');
    fixture.enforce(denial);
    expect(await tcpAttempt(client, target)).toBe('ECONNREFUSED');
    expect(await udpAttempt(client, target)).toBe('ECONNREFUSED');
  });

  test('itself, its loopback and its node reach a pod that denies all', async () => {
    await using fixture = await Fixture.start();
    const { server, client, network } = fixture;
    await using _tcp = await tcpServer(server, 80);
    fixture.enforce(policy({ ingress: [], egress: [] }));
    const target = { address: server.address[family], port: 80 };
    expect(await tcpAttempt(client, target)).toBe('timeout');
    expect(await tcpAttempt(server, target)).toBe('hello');
    expect(await tcpAttempt(server, { ...target, address: ip(family === 4 ? '127.0.0.1' : '::1') })).toBe('hello');
    expect(await tcpAttempt(network.host, target)).toBe('hello');
  });

  test('Services: to another pod, to itself, refused without endpoints', async () => {
    await using fixture = await Fixture.start();
    const { client, server, planes } = fixture;
    await using _server = await tcpServer(server, 8080, { name: 'server' });
    await using _client = await tcpServer(client, 8080, { name: 'client' });
    const target = { address: SERVICE[family], port: 80 };
    await planes[0]?.setServices([serviceOf(family, server)]);
    expect(await tcpAttempt(client, target)).toBe('server');
    fixture.enforce(policy({ pods: { app: 'p3' }, ingress: [{ ports: ['9/TCP'] }] }));
    expect(await tcpAttempt(client, target)).toBe('timeout');
    fixture.enforce(policy({ ingress: [], egress: [] }));
    await planes[0]?.setServices([serviceOf(family, client)]);
    expect(await tcpAttempt(client, target)).toBe('client');
    await planes[0]?.setServices([serviceOf(family)]);
    expect(await tcpAttempt(client, target)).toBe('ECONNREFUSED');
    expect(await tcpAttempt(client, { ...target, port: 81 })).toBe('ECONNREFUSED');
  });

  test('a forged source address does not leave the pod', async () => {
    await using fixture = await Fixture.start();
    const { client, server, network, planes } = fixture;
    const forged = ip(family === 4 ? '10.244.0.9' : 'fd00:10:244::9');
    network.runIn(client, [`addr add ${forged.text}/${family === 4 ? 32 : '128 nodad'} dev eth0 preferred_lft 0`]);
    const heard: string[] = [];
    let notice = (): void => undefined;
    using _udp = udpServer(server, 80, {
      onMessage: (message) => {
        heard.push(message);
        notice();
      },
    });
    const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
    socket.bind({ fd: boundSocket({ namespace: client.namespace, type: 'udp', address: forged, port: 0 }) });
    socket.on('error', () => undefined); // of a packet that its own host drops, the sender hears
    socket.send('forged', 80, server.address[family].text);
    expect(await udpAttempt(client, { address: server.address[family], port: 80 }, 'own')).toBe('own');
    expect(heard).toEqual(['own']);
    planes[0]?.firewall.setAddresses([...client.addresses, forged]);
    await planes[0]?.firewall.open();
    const passed = new Promise<void>((resolve) => (notice = resolve));
    socket.send('given', 80, server.address[family].text);
    await passed;
    socket.close();
    expect(heard).toEqual(['own', 'given']);
  });

  test.each([
    ['keep', 'ping'],
    ['strict', 'nothing'],
  ] as const)('an established connection when it is denied, %s', async (established, outcome) => {
    await using fixture = await Fixture.start({ established });
    const { client, server } = fixture;
    await using _tcp = await tcpServer(server, 80);
    using _udp = udpServer(server, 80);
    const address = server.address[family];
    const connection = dial(client, { address, port: 80 });
    await once(connection, 'data');
    const datagrams = udpSocket(client, family, 0);
    const answered = once(datagrams, 'message');
    datagrams.send('ping', 80, address.text);
    await answered;
    fixture.enforce(DENY_INGRESS);
    const patience = AbortSignal.timeout(600);
    const answer = once(connection, 'data', { signal: patience }).then(String, () => 'nothing');
    const datagram = once(datagrams, 'message', { signal: patience }).then(String, () => 'nothing');
    connection.write('ping');
    datagrams.send('ping', 80, address.text);
    expect([await answer, await datagram]).toEqual([outcome, 'nothing']);
    connection.destroy();
    datagrams.close();
  });
});

describe.each([4, 6] as const)('connections and Services, IPv%i', (family) => {
  const direct = (to: TestPod) => ({ address: to.address[family], port: 8080 });
  const byService = { address: SERVICE[family], port: 80 };

  test('one port serves a connection to a Service and one to its endpoint', async () => {
    await using fixture = await Fixture.start();
    const { client, server, planes } = fixture;
    await using _server = await tcpServer(server, 8080);
    await planes[0]?.setServices([serviceOf(family, server)]);
    const one = dial(client, { ...direct(server), sourcePort: 40_000 });
    await once(one, 'data');
    const other = dial(client, { ...byService, sourcePort: 40_000 });
    await once(other, 'data');
    expect([one.localPort, other.localPort]).toEqual([40_000, 40_000]);
    one.destroy();
    other.destroy();
  });

  test('open connections outlive that their far end becomes a Service and ceases to be one', async () => {
    await using fixture = await Fixture.start();
    const { client, server, planes } = fixture;
    await using _server = await tcpServer(server, 8080);
    const answers = async (connection: Socket, text: string): Promise<string> => {
      const answer = once(connection, 'data', { signal: AbortSignal.timeout(1000) });
      connection.write(text);
      return String(await answer);
    };
    const early = dial(client, direct(server));
    await once(early, 'data');
    await planes[0]?.setServices([serviceOf(family, server)]);
    expect(await answers(early, 'as an endpoint')).toBe('as an endpoint');
    const late = dial(client, byService);
    await once(late, 'data');
    await planes[0]?.setServices([serviceOf(family, client)]);
    expect(await answers(late, 'without it')).toBe('without it');
    await planes[0]?.setServices([]);
    expect(await answers(early, 'without a Service')).toBe('without a Service');
    expect(await answers(late, 'without a Service')).toBe('without a Service');
    early.destroy();
    late.destroy();
  });

  test.each(['keep', 'strict'] as const)('%s: an unreachable far end is told', async (established) => {
    await using fixture = await Fixture.start({ established });
    const { client, network } = fixture;
    const address = ip(family === 4 ? '192.0.2.1' : '2001:db8::1');
    network.runIn(network.host, [`route add unreachable ${address.text}`]);
    inNamespace(network.host.namespace, () => {
      writeFileSync(`/proc/sys/net/ipv${family}/conf/all/forwarding`, '1');
    });
    expect(await tcpAttempt(client, { address, port: 80 })).toBe(family === 4 ? 'EHOSTUNREACH' : 'ENETUNREACH');
  });
});

describe('the rules in a pod', () => {
  test('a broadcast reaches no pod', async () => {
    await using fixture = await Fixture.start();
    const heard: string[] = [];
    using _udp = udpServer(fixture.server, 80, { onMessage: (message) => heard.push(message) });
    const socket = udpSocket(fixture.client, 4, 0);
    socket.setBroadcast(true);
    socket.send('broadcast', 80, '10.244.255.255');
    expect(await udpAttempt(fixture.client, { address: fixture.server.address[4], port: 80 }, 'direct')).toBe('direct');
    socket.close();
    expect(heard).toEqual(['direct']);
  });

  test('closed, a pod has its loopback and nothing else', async () => {
    using network = new BridgeNetwork();
    const [one, two] = [network.attach(2), network.attach(3)];
    await using _server = await tcpServer(one, 80);
    expect(await tcpAttempt(two, { address: one.address[4], port: 80 })).toBe('hello');
    PodFirewall.closed({ namespace: one.namespace, queue: 0 });
    for (const from of [two, network.host])
      expect(await tcpAttempt(from, { address: one.address[4], port: 80 })).toBe('timeout');
    expect(await tcpAttempt(one, { address: ip('127.0.0.1'), port: 80 })).toBe('hello');
  });

  test('without a gate nothing new passes, and a next one takes over; rules of others stay', async () => {
    await using fixture = await Fixture.start();
    const { client, server, planes } = fixture;
    await using _server = await tcpServer(server, 80);
    shellIn(server, 'iptables -t nat -N DOCKER_OUTPUT; iptables -t nat -A OUTPUT -d 127.0.0.11 -j DOCKER_OUTPUT');
    const target = { address: server.address[4], port: 80 };
    expect(await tcpAttempt(client, target)).toBe('hello');
    const connection = dial(client, target);
    await once(connection, 'data');
    await planes.pop()?.stop();
    expect(await tcpAttempt(client, target)).toBe('timeout');
    planes.push(await fixture.gate(server));
    expect(await tcpAttempt(client, target)).toBe('hello');
    const goesOn = once(connection, 'data');
    connection.write('again');
    expect(String(await goesOn)).toBe('again');
    connection.destroy();
    expect(shellIn(server, 'iptables -t nat -S OUTPUT')).toContain('DOCKER_OUTPUT');
    expect(shellIn(server, 'iptables -S').match(/-j NETPOL-LAB$/gm)).toHaveLength(2);
  });

  test('what an earlier gate accepted and the next one denies is cut before the pod opens', async () => {
    await using fixture = await Fixture.start({ established: 'strict' });
    const { client, server, planes } = fixture;
    await using _server = await tcpServer(server, 80);
    const connection = dial(client, { address: server.address[4], port: 80 });
    await once(connection, 'data');
    await planes.pop()?.stop();
    planes.push(await fixture.gate(server, [DENY_INGRESS]));
    connection.write('again');
    const answer = once(connection, 'data', { signal: AbortSignal.timeout(1000) });
    await expect(answer).rejects.toThrow();
    connection.destroy();
  });
});
