import { describe, expect, test } from 'vitest';
import type { FlowEvent } from '../../src/flows/flow-event.ts';
import { parsePort } from '../../src/net/port.ts';
import { given } from '../builders/given.ts';
import { eventually, pod, policy, service, serving, useLab, type Outcome } from './cli-fixture.ts';

const API = '203.0.113.10';
const PORTS = [80, 443].map((port) => ({ protocol: 'TCP' as const, port: given(parsePort(port), 'a port') }));
const GATEWAY = 'http://egress-gateway:3128';
const STRICT = ['--established', 'strict'];

const lab = useLab({
  external: [{ name: 'api.example.com', addresses: [API], ports: PORTS }],
  manifests: [
    pod('egress-gateway', { containers: [{ name: 'gateway', image: 'netpol-lab/egress-gateway' }] }),
    service('egress-gateway', { ports: [{ port: 3128 }] }),
    pod('web', { containers: [serving('8080/TCP')] }),
    service('web', { ports: [{ port: 80, targetPort: 8080 }] }),
    pod('client'),
    pod('other'),
  ],
  flags: STRICT,
});

/** What curl gets by the gateway: its output, and the status of the answer. */
async function ask(
  url: string,
  { from = 'client', tunnel = false } = {},
): Promise<Outcome & { readonly status: number }> {
  const variable = tunnel ? '%{http_connect}' : '%{http_code}';
  const words = ['curl', '-sS', '-m', '15', '-x', GATEWAY, '-w', `\n${variable}`, ...(tunnel ? ['-p'] : []), url];
  const outcome = await lab.exec(from, words);
  return { ...outcome, status: Number(outcome.stdout.split('\n').at(-1)) };
}

async function without(name: string): Promise<void> {
  await lab.run('delete', ['networkpolicy', name]);
}

const NOWHERE = policy('nowhere', 'client', {
  policyTypes: ['Egress'],
  egress: [
    { to: [{ podSelector: { matchLabels: { app: 'egress-gateway' } } }] },
    { ports: [{ protocol: 'UDP', port: 53 }] },
  ],
});

describe('an egress gateway', () => {
  test.each([{ tunnel: false }, { tunnel: true }])(
    'leads out (by CONNECT: $tunnel), as the gateway',
    async ({ tunnel }) => {
      const { stdout, status } = await ask('http://api.example.com', { tunnel });
      expect(status, stdout).toBe(200);
      expect(stdout).toContain('host: api.example.com');
      const { addresses } = await lab.pod('egress-gateway');
      expect(addresses).toContain(/^client: \[?([^\]\n]+?)\]?:\d+$/m.exec(stdout)?.[1]);
    },
  );

  test('refuses what policies deny the client, with the words of explain, and goes on serving another', async () => {
    await lab.apply(NOWHERE);
    const refused = await ask('http://api.example.com');
    const explained = await lab.run('explain', ['--from', 'default/client', '--to', API, '--port', '80']);
    const reason = given(/egress of default\/client: (.*)/.exec(explained.stdout)?.[1], explained.stdout);
    expect(reason).toContain('isolated by default/nowhere');
    expect(refused).toMatchObject({ status: 403 });
    expect(refused.stdout).toContain(`default/client -> api.example.com (${API}) 80/TCP: egress ${reason}`);
    expect(await ask('http://api.example.com', { from: 'other' })).toMatchObject({ status: 200 });
    await without('nowhere');
    expect(await ask('http://api.example.com')).toMatchObject({ status: 200 });
  });

  test('refuses a tunnel with the reason in a header, and tells the flow log on whose behalf it asked', async () => {
    await lab.apply(NOWHERE);
    const { exit, stderr } = await lab.exec('client', `curl -v -sS -m 9 -p -x ${GATEWAY} http://api.example.com:443`);
    expect(exit).toBe(56);
    expect(stderr).toContain('response 403');
    expect(stderr).toMatch(/proxy-status: netpol-lab; error=http_request_denied; details=".*default\/nowhere/i);
    await without('nowhere');
    const { stdout } = await lab.run('flows', ['-o', 'json']);
    const flows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as FlowEvent);
    expect(flows.findLast(({ via }) => via !== undefined)).toMatchObject({
      from: { name: 'default/client' },
      to: { name: 'api.example.com', address: API },
      port: 443,
      verdict: 'deny',
      via: 'default/egress-gateway',
      egress: { policies: [{ name: 'nowhere' }] },
    });
  });

  test('is no way into a pod that does not admit the client; that the pod admits the gateway does not help', async () => {
    const admits = (...apps: readonly string[]): object =>
      policy('web-admits', 'web', {
        ingress: [{ from: apps.map((app) => ({ podSelector: { matchLabels: { app } } })) }],
      });
    await lab.apply(admits('egress-gateway'));
    const refused = await ask('http://web');
    expect(refused).toMatchObject({ status: 403 });
    expect(refused.stdout).toContain('default/client -> default/web');
    expect(refused.stdout).toContain('8080/TCP: ingress denied: isolated by default/web-admits');
    await lab.apply(admits('client'));
    expect(await ask('http://web')).toMatchObject({ status: 504 }); // the gate stops the gateway's own connection
    await lab.apply(admits('client', 'egress-gateway'));
    const { status, stdout } = await ask('http://web');
    expect(status, stdout).toBe(200);
    expect(stdout).toContain('pod: web');
    await without('web-admits');
  });

  test.each([
    { why: 'the name is none', url: 'http://nosuch.example.com', status: 502, says: 'there is no such name' },
    { why: 'the port is closed', url: `http://${API}:81`, status: 502, says: 'refuses the connection' },
    {
      why: 'the Service has no such port',
      url: 'http://web:81',
      status: 502,
      says: 'no ready pod is behind port 81/TCP',
    },
    {
      why: 'it is its own loopback',
      url: 'http://127.0.0.1:3128',
      status: 403,
      says: 'nowhere that a gateway can lead to',
    },
    {
      why: 'it is its own loopback, written for IPv6',
      url: 'http://[::ffff:127.0.0.1]:3128',
      status: 403,
      says: 'nowhere',
    },
  ])('says at once why not: $why', async ({ url, status, says }) => {
    const outcome = await ask(url);
    expect(outcome.status, outcome.stdout).toBe(status);
    expect(outcome.stdout).toContain(says);
    expect(await ask(url, { tunnel: true })).toMatchObject({ status });
  });

  test('answers with 504 while its own pod may not ask for names', async () => {
    await lab.apply(
      policy('no-names', 'egress-gateway', { policyTypes: ['Egress'], egress: [{ ports: [{ port: 80 }] }] }),
    );
    const closed = await ask('http://api.example.com');
    await without('no-names');
    expect(closed.status).toBe(504);
    expect(closed.stdout).toContain('no name server has answered');
    const opened = await eventually(async () => {
      const outcome = await ask('http://api.example.com');
      return outcome.status === 200 ? outcome : undefined;
    }, 'names are found again');
    expect(opened.stdout).toContain('host: api.example.com');
  });

  test('serves no gateway: one that is reached through another, or through itself, would not know the client', async () => {
    await lab.apply(NOWHERE);
    const twice = [
      `CONNECT egress-gateway:3128 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n`,
      `CONNECT ${API}:443 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n`,
    ];
    const script = `{ printf '${twice[0]}'; sleep 0.5; printf '${twice[1]}'; sleep 0.5; } | nc -w 3 egress-gateway 3128`;
    const { stdout } = await lab.shell('client', script);
    await without('nowhere');
    expect(stdout.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403']);
    expect(stdout).toContain('a gateway serves no gateway');
  });

  test('ends a tunnel that policies allow no longer, where connections are cut', async () => {
    const connect = 'CONNECT api.example.com:443 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n';
    const script = `exec 3<>/dev/tcp/egress-gateway/3128; printf '${connect}' >&3; cat <&3`;
    const tunnel = lab.user.start(['exec', '--lab', lab.name, 'client', '--', 'bash', '-c', script]);
    await tunnel.printed('200 Connection Established');
    await lab.apply(policy('harmless', 'other', { ingress: [] }));
    const early = await Promise.race([tunnel.ended, lab.exec('client', 'sleep 0.3').then(() => 'open')]);
    expect(early).toBe('open');
    await lab.apply(NOWHERE);
    const late = await Promise.race([
      tunnel.ended.then(() => 'cut'),
      lab.exec('client', 'sleep 10').then(() => 'open'),
    ]);
    expect(late).toBe('cut');
    await without('nowhere');
    await without('harmless');
  });
});
