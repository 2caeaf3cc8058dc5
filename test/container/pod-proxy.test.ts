import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ip } from '../builders/address.ts';
import { dial, tcpAttempt, tcpServer } from '../dataplane/attempt.ts';
import { ProxyFixture } from './proxy-fixture.ts';

const run = promisify(execFile);

const DENY_INGRESS = { podSelector: { matchLabels: { app: 'p3' } }, policyTypes: ['Ingress'] };
const FROM_P2 = { from: [{ podSelector: { matchLabels: { app: 'p2' } } }] };

describe('the proxy of a pod', () => {
  test('enforces what the API says, until the API says otherwise', async () => {
    await using fixture = await ProxyFixture.start();
    const [client, server] = await Promise.all([fixture.pod(2), fixture.pod(3)]);
    await using _server = await tcpServer(server, 80);
    const target = { address: server.address[4], port: 80 };
    expect(await tcpAttempt(client, target)).toBe('hello');
    await fixture.apply('deny', DENY_INGRESS);
    expect(await tcpAttempt(client, target)).toBe('timeout');
    await fixture.apply('allow', { ...DENY_INGRESS, ingress: [FROM_P2] });
    expect(await tcpAttempt(client, target)).toBe('hello');
    fixture.putPod(2, { app: 'other' });
    await fixture.enforced();
    expect(await tcpAttempt(client, target)).toBe('timeout');
    await fixture.delete('allow');
    await fixture.delete('deny');
    expect(await tcpAttempt(client, target)).toBe('hello');
    expect(fixture.said).toEqual([]);
  });

  test('reports what it judged, from its own side', async () => {
    await using fixture = await ProxyFixture.start({ deny: 'reject' });
    const [client, server] = await Promise.all([fixture.pod(2), fixture.pod(3)]);
    await using _server = await tcpServer(server, 80);
    await fixture.apply('deny', DENY_INGRESS);
    const socket = dial(client, { address: server.address[6], port: 80 });
    await once(socket, 'error');
    while (fixture.flows.length < 2) await fixture.news();
    const ends = { source: 'fd00:10:244::2', destination: 'fd00:10:244::3', protocol: 'TCP', port: 80 };
    const [egress, ingress] = fixture.flows.toSorted((one, other) => (one.side < other.side ? -1 : 1));
    expect(egress).toMatchObject({ ...ends, side: 'egress', report: { verdict: 'allow', isolated: false } });
    const policies = [{ namespace: 'x', name: 'deny', rule: null }];
    expect(ingress).toMatchObject({ ...ends, side: 'ingress', report: { verdict: 'deny', policies } });
    expect(ingress?.sourcePort).toBe(egress?.sourcePort);
  });

  test('passes nothing before the cluster has its pod, and after it has it no more', async () => {
    await using fixture = await ProxyFixture.start();
    const client = await fixture.pod(2);
    const server = fixture.network.attach(3);
    fixture.startProxy(3, server);
    await fixture.until(3, ({ enforced }) => enforced?.open === false);
    await using _server = await tcpServer(server, 80);
    const target = { address: server.address[4], port: 80 };
    expect(await tcpAttempt(client, target)).toBe('timeout');
    expect(await tcpAttempt(server, { ...target, address: ip('127.0.0.1') })).toBe('hello');
    fixture.putPod(3);
    await fixture.enforced();
    expect(await tcpAttempt(client, target)).toBe('hello');
    fixture.store.system.remove({ apiVersion: 'v1', kind: 'Pod', namespace: 'x', name: 'p3' });
    await fixture.enforced();
    expect(await tcpAttempt(client, target)).toBe('timeout');
  });

  test('a policy that cannot be understood isolates its namespace, and that is said', async () => {
    await using fixture = await ProxyFixture.start();
    const [client, server] = await Promise.all([fixture.pod(2), fixture.pod(3)]);
    await using _server = await tcpServer(server, 80);
    const target = { address: server.address[4], port: 80 };
    expect(await tcpAttempt(client, target)).toBe('hello');
    await fixture.apply('odd', {
      podSelector: { matchLabels: { app: 'nobody' } },
      ingress: [{ from: [{ fancy: {} }] }],
    });
    expect(await tcpAttempt(client, target)).toBe('timeout');
    expect(fixture.fleet.get('x/p3')?.enforced?.complaints).toHaveLength(1);
    expect(fixture.said.join('')).toContain('fancy');
    await fixture.apply('odd', { podSelector: { matchLabels: { app: 'nobody' } } });
    expect(await tcpAttempt(client, target)).toBe('hello');
    expect(fixture.fleet.get('x/p3')?.enforced?.complaints).toEqual([]);
  });

  test('goes on enforcing without a control plane, and catches up with the next', async () => {
    await using fixture = await ProxyFixture.start();
    const [client, server] = await Promise.all([fixture.pod(2), fixture.pod(3)]);
    await using _server = await tcpServer(server, 80);
    const target = { address: server.address[4], port: 80 };
    await fixture.apply('deny', DENY_INGRESS);
    await fixture.stopControl();
    expect(await tcpAttempt(client, target)).toBe('timeout');
    expect(await tcpAttempt(client, { ...target, address: client.address[4], port: 1 })).toBe('ECONNREFUSED');
    fixture.put('networkpolicies', 'allow', { spec: { ...DENY_INGRESS, ingress: [FROM_P2] } });
    await fixture.startControl();
    await fixture.enforced();
    expect(await tcpAttempt(client, target)).toBe('hello');
    await fixture.delete('allow');
    expect(await tcpAttempt(client, target)).toBe('timeout');
  });
});

test.each([
  ['the right to change the network', '-all', 'NET_ADMIN'],
  ['an address', '-all,+net_admin', 'has no address'],
])('without %s it ends at once, and says what is missing', async (_, kept, message) => {
  const program = fileURLToPath(new URL('../../src/cli/netpol-lab.ts', import.meta.url));
  const limits = [`--bounding-set=${kept}`, `--inh-caps=${kept}`, '--no-new-privs', '--'];
  const proxy = [process.execPath, program, 'container', 'proxy', '--pod', 'x/y', '--run', '/nowhere'];
  const { code, stderr }: { code?: number; stderr: string } = await run('unshare', [
    '--net',
    'setpriv',
    ...limits,
    ...proxy,
  ]).catch((error: unknown) => error as { code: number; stderr: string });
  expect(code).toBe(3);
  expect(stderr).toContain(message);
});
