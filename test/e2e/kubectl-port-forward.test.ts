import { describe, expect, it } from 'vitest';
import { pod, policy, service, serving, useLab, type CliLab, type Running } from './cli-fixture.ts';
import { kubectl, startKubectl } from './kubectl-fixture.ts';

const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'many' },
  spec: {
    selector: { matchLabels: { app: 'many' } },
    template: { metadata: { labels: { app: 'many' } }, spec: { containers: [serving('http=8080/TCP')] } },
  },
};
const SIX = {
  name: 'six',
  image: 'node',
  command: ['node', '-e', "require('http').createServer((_, a) => a.end('over IPv6')).listen(9000, '::1')"],
};
const MANIFESTS = [
  pod('web', { containers: [serving('80/TCP'), SIX] }),
  DEPLOYMENT,
  service('many', { ports: [{ port: 80, targetPort: 'http' }] }),
];

/** Starts to forward any free port of this machine. @returns its address, and the kubectl that does it. */
async function forward(lab: CliLab, target: string): Promise<{ url: string; running: Running }> {
  const running = startKubectl(lab, `port-forward ${target}`);
  const [, port] = await running.matched(/Forwarding from 127\.0\.0\.1:(\d+)/);
  return { url: `http://127.0.0.1:${port}`, running };
}

describe.each([
  { user: 'this user', ordinary: false },
  { user: 'an ordinary user', ordinary: true },
])('kubectl port-forward in a lab of $user', ({ ordinary }) => {
  const lab = useLab({ manifests: MANIFESTS, ordinary });
  const end = async ({ pid, ended }: Running): Promise<void> => {
    process.kill(pid, 'SIGTERM');
    await ended;
  };

  it.each([
    ['pod/web :80', 'pod: web'],
    ['deployment/many :8080', 'pod: many-'],
    ['service/many :80', 'pod: many-'],
    ['web :9000', 'over IPv6'],
  ])('%s', async (target, text) => {
    const { url, running } = await forward(lab, target);
    expect(await (await fetch(url)).text()).toContain(text);
    await end(running);
  });

  it('carries many connections at once, as from the pod itself, whatever policies say', async () => {
    await lab.apply(policy('deny', 'web', { policyTypes: ['Ingress', 'Egress'] }));
    const { url, running } = await forward(lab, 'pod/web :80');
    const headers = { connection: 'close' };
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => fetch(url, { headers }).then((each) => each.text())),
    );
    for (const text of answers) expect(text).toMatch(/client: 127\.0\.0\.1:\d+/);
    await lab.run('delete', ['netpol', 'deny']);
    await end(running);
  });

  it('tells of a port that nothing listens on', async () => {
    const { url, running } = await forward(lab, 'pod/web :81');
    await expect(fetch(url)).rejects.toThrow();
    await running.printed('failed to connect to localhost:81 inside the pod: IPv4 127.0.0.1: ECONNREFUSED');
    await end(running);
  });

  it('ends with the pod', async () => {
    await lab.apply(pod('short', { containers: [serving('80/TCP')] }));
    const { url, running } = await forward(lab, 'pod/short :80');
    expect(await (await fetch(url)).text()).toContain('pod: short');
    await kubectl(lab, 'delete pod short');
    const { exit, stderr } = await running.ended;
    expect(stderr).toContain('lost connection to pod');
    expect(exit).toBe(1);
  });
});
