import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServiceRule } from '../../src/dataplane/firewall.ts';
import type { Family } from '../../src/net/ip.ts';
import { ip, portNumber } from '../builders/address.ts';
import { policy } from '../builders/policy.ts';
import { tcpAttempt, tcpServer, udpAttempt, udpServer } from './attempt.ts';
import { CLOSED, OPEN, startFixture, tableOf, type Fixture } from './fixture.ts';

const ADDRESS = { 4: ip('10.96.0.1'), 6: ip('fd00:10:96::1') } as const;

/** The Service's port of that number, and endpoints written as pod number and port. */
function service(family: Family, protocol: 'TCP' | 'UDP', ...endpoints: readonly [number, number][]): ServiceRule {
  const pod = (number: number) => ip(family === 4 ? `10.0.0.${number}` : `fd00::${number}`);
  return {
    address: ADDRESS[family],
    protocol,
    port: portNumber(protocol === 'TCP' ? 80 : 53),
    endpoints: endpoints.map(([number, port]) => ({ address: pod(number), port: portNumber(port) })),
  };
}

describe.each([4, 6] as const)('Services, IPv%i', (family) => {
  let fixture: Fixture;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    fixture = stack.use(await startFixture());
    const [one, two, three] = fixture.pods;
    stack.use(await tcpServer(one, 8080, { name: 'one' }));
    stack.use(await tcpServer(two, 8080, { name: 'two' }));
    stack.use(await tcpServer(three, 9090, { name: 'three' }));
    stack.use(udpServer(two, 5353, { name: 'two ' }));
    stack.use(udpServer(three, 5353, { name: 'three ' }));
  });
  afterAll(() => stack.disposeAsync());
  const tcp = () => tcpAttempt(fixture.pods[0], { address: ADDRESS[family], port: 80 });
  const udp = (sourcePort = 0) => udpAttempt(fixture.pods[0], { address: ADDRESS[family], port: 53, sourcePort });

  test('connections go to every endpoint, each at its own port', async () => {
    fixture.plane.swap(OPEN);
    await fixture.plane.setServices([
      service(family, 'TCP', [2, 8080], [3, 9090]),
      service(family, 'UDP', [2, 5353], [3, 5353]),
    ]);
    // That one of two is never chosen in 40 attempts is a chance of 1 in 10^12.
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => [tcp(), udp()]).flat());
    expect(new Set(outcomes)).toEqual(new Set(['two', 'three', 'two ping', 'three ping']));
  });

  test('policies see the pod behind', async () => {
    fixture.plane.swap(tableOf([policy({ pods: { app: 'p2' }, ingress: [] })]));
    await fixture.plane.setServices([service(family, 'TCP', [2, 8080])]);
    expect(await tcp()).toBe('timeout');
    const flow = await fixture.flow(({ bits, destination }) => bits === 2 && destination.family === family);
    expect(flow).toMatchObject({ destination: fixture.pods[1].address[family], destinationPort: 8080 });
  });

  test('a pod reaches itself through its Service, whatever policies say', async () => {
    fixture.plane.swap(CLOSED);
    await fixture.plane.setServices([service(family, 'TCP', [1, 8080])]);
    expect(await tcp()).toBe('one');
  });

  test('a port without endpoints and an unknown port are refused', async () => {
    fixture.plane.swap(OPEN);
    await fixture.plane.setServices([service(family, 'TCP'), service(family, 'UDP')]);
    expect(await Promise.all([tcp(), udp()])).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);
    const unknown = { address: ADDRESS[family], port: 81 };
    expect(await tcpAttempt(fixture.pods[0], unknown)).toBe('ECONNREFUSED');
    expect(await udpAttempt(fixture.pods[0], unknown)).toBe('ECONNREFUSED');
  });

  test('a datagram from the same port finds another endpoint once its own has gone', async () => {
    fixture.plane.swap(OPEN);
    await fixture.plane.setServices([service(family, 'UDP', [2, 5353])]);
    expect(await udp(4100)).toBe('two ping');
    await fixture.plane.setServices([service(family, 'UDP', [3, 5353])]);
    expect(await udp(4100)).toBe('three ping');
  });

  test('the node reaches Services too', async () => {
    await fixture.plane.setServices([service(family, 'TCP', [2, 8080])]);
    const node = { ...fixture.pods[0], namespace: fixture.network.namespace };
    expect(await tcpAttempt(node, { address: ADDRESS[family], port: 80 })).toBe('two');
  });
});
