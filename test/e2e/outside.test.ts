import { describe, expect, it } from 'vitest';
import type { ExternalHost, ProbeResult } from '../../src/lab/lab-client.ts';
import { parsePort, type Port, type Protocol } from '../../src/net/port.ts';
import { pod, policy, serving, useLab } from './cli-fixture.ts';

function portNumber(number: number): Port {
  const port = parsePort(number);
  if (port === undefined) throw new Error(`${number} is no port`);
  return port;
}

const PORTS = [
  { protocol: 'TCP' as const, port: portNumber(443) },
  { protocol: 'UDP' as const, port: portNumber(5353) },
];

const NEAR = '203.0.113.10';
const FAR = '203.0.113.200';
const NEAR6 = '2001:db8:1::10';

const EXTERNAL: ExternalHost[] = [
  { name: 'near.example.com', addresses: [NEAR, NEAR6], ports: PORTS },
  { name: 'far.example.com', addresses: [FAR], ports: PORTS },
];

const lab = useLab({
  external: EXTERNAL,
  manifests: [pod('client'), pod('web', { containers: [serving('80/TCP', '53/UDP')] })],
});

interface Attempt {
  readonly from: string;
  readonly to: string;
  readonly protocol?: Protocol;
  readonly port: number;
}

async function outcomes(attempts: readonly Attempt[]): Promise<ProbeResult['outcome'][]> {
  const requests = attempts.map((attempt) => ({ protocol: 'TCP' as const, timeoutMs: 1000, ...attempt }));
  return (await lab.client.probe(requests)).map(({ outcome }) => outcome);
}

describe('hosts outside as destinations', () => {
  it.each([
    { by: 'name', url: 'http://near.example.com:443' },
    { by: 'IPv4 address', url: `http://${NEAR}:443` },
    { by: 'IPv6 address', url: `http://[${NEAR6}]:443` },
  ])('a pod reaches one by $by, without translation of its address', async ({ url }) => {
    const { addresses } = await lab.pod('client');
    const { stdout, stderr } = await lab.exec('client', `curl -sS -m 3 ${url}`);
    expect(stdout, stderr).toContain('host: near.example.com');
    const client = /^client: \[?([^\]\n]+?)\]?:\d+$/m.exec(stdout)?.[1];
    expect(addresses).toContain(client);
  });

  it('a pod reaches one by UDP', async () => {
    const { stdout, stderr } = await lab.shell('client', `echo hello | nc -u -W 1 -w 2 ${NEAR} 5353`);
    expect(stdout, stderr).toContain('host: near.example.com');
  });

  it('refuses a port on which it does not listen', async () => {
    expect(await outcomes([{ from: 'default/client', to: NEAR, port: 80 }])).toEqual(['refused']);
  });

  it.each([
    { egress: 'nothing', rules: [], near: 'timeout', far: 'timeout', near6: 'timeout' },
    { egress: '0.0.0.0/0', rules: [to('0.0.0.0/0')], near: 'connected', far: 'connected', near6: 'timeout' },
    { egress: '::/0', rules: [to('::/0')], near: 'timeout', far: 'timeout', near6: 'connected' },
    { egress: 'one block', rules: [to('203.0.113.0/25')], near: 'connected', far: 'timeout', near6: 'timeout' },
    {
      egress: 'a block with an exception',
      rules: [to('203.0.113.0/24', NEAR + '/32')],
      near: 'timeout',
      far: 'connected',
      near6: 'timeout',
    },
    {
      egress: 'pods of all namespaces',
      rules: [{ to: [{ namespaceSelector: {} }] }],
      near: 'timeout',
      far: 'timeout',
      near6: 'timeout',
    },
    {
      egress: 'anything on another port',
      rules: [{ ports: [{ port: 80 }] }],
      near: 'timeout',
      far: 'timeout',
      near6: 'timeout',
    },
    {
      egress: 'anything on their port',
      rules: [{ ports: [{ port: 443 }] }],
      near: 'connected',
      far: 'connected',
      near6: 'connected',
    },
  ])('egress to $egress', async ({ rules, near, far, near6 }) => {
    await lab.apply(policy('egress', 'client', { policyTypes: ['Egress'], egress: rules }));
    const attempts = [NEAR, FAR, NEAR6].map((host) => ({ from: 'default/client', to: host, port: 443 }));
    expect(await outcomes(attempts)).toEqual([near, far, near6]);
  });

  it('curl times out where egress is denied', async () => {
    await lab.apply(policy('egress', 'client', { policyTypes: ['Egress'] }));
    const { exit, stderr } = await lab.exec('client', `curl -sS -m 1 http://${NEAR}:443`);
    expect(exit, stderr).toBe(28);
    await lab.run('delete', ['netpol', 'egress']);
  });
});

describe('hosts outside as sources', () => {
  it.each([
    { ingress: 'not isolated', rules: undefined, near: 'connected', far: 'connected', near6: 'connected' },
    { ingress: 'from nothing', rules: [], near: 'timeout', far: 'timeout', near6: 'timeout' },
    { ingress: 'from one block', rules: [from('203.0.113.0/25')], near: 'connected', far: 'timeout', near6: 'timeout' },
    {
      ingress: 'from a block with an exception',
      rules: [from('203.0.113.0/24', NEAR + '/32')],
      near: 'timeout',
      far: 'connected',
      near6: 'timeout',
    },
    {
      ingress: 'from a block of IPv6',
      rules: [from('2001:db8::/32')],
      near: 'timeout',
      far: 'timeout',
      near6: 'connected',
    },
    {
      ingress: 'from pods of all namespaces',
      rules: [{ from: [{ namespaceSelector: {} }] }],
      near: 'timeout',
      far: 'timeout',
      near6: 'timeout',
    },
    { ingress: 'from anywhere', rules: [{}], near: 'connected', far: 'connected', near6: 'connected' },
  ])('ingress $ingress', async ({ rules, near, far, near6 }) => {
    if (rules !== undefined) await lab.apply(policy('ingress', 'web', { policyTypes: ['Ingress'], ingress: rules }));
    const { addresses } = await lab.pod('web');
    const [ipv4 = '', ipv6 = ''] = addresses;
    const attempts = [
      { from: NEAR, to: ipv4, port: 80 },
      { from: FAR, to: ipv4, port: 80 },
      { from: NEAR6, to: ipv6, port: 80 },
    ];
    const datagrams = attempts.map((attempt) => ({ ...attempt, protocol: 'UDP' as const, port: 53 }));
    expect(await outcomes([...attempts, ...datagrams])).toEqual([near, far, near6, near, far, near6]);
  });

  it('explain says the same, and flows name the host', async () => {
    await lab.apply(policy('ingress', 'web', { policyTypes: ['Ingress'], ingress: [from('203.0.113.0/25')] }));
    const allowed = await lab.run('explain', ['--from', NEAR, '--to', 'default/web', '--port', '80']);
    const denied = await lab.run('explain', ['--from', FAR, '--to', 'default/web', '--port', '80']);
    expect([allowed.exit, denied.exit]).toEqual([0, 1]);
    const { stdout } = await lab.run('flows', []);
    expect(stdout).toMatch(/far\.example\.com.*default\/web/);
  });

  it('an address of nobody is no source', async () => {
    await expect(outcomes([{ from: '192.0.2.1', to: 'default/web', port: 80 }])).rejects.toThrow(/192\.0\.2\.1/);
  });
});

function block(cidr: string, ...except: readonly string[]): object {
  return { ipBlock: { cidr, ...(except.length === 0 ? {} : { except }) } };
}

function to(cidr: string, ...except: readonly string[]): object {
  return { to: [block(cidr, ...except)] };
}

function from(cidr: string, ...except: readonly string[]): object {
  return { from: [block(cidr, ...except)] };
}
