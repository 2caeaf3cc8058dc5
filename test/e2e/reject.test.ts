import { expect, test } from 'vitest';
import { execCapture } from '../../src/lab/exec.ts';
import { DEFAULT_OPTIONS, type ProbeResult } from '../../src/lab/lab-client.ts';
import { podManifest, policyManifest, TestLab } from './lab-fixture.ts';

const SERVING = {
  containers: [
    {
      name: 'server',
      image: 'server',
      ports: [80, 81].flatMap((containerPort) =>
        ['TCP', 'UDP'].map((protocol) => ({
          name: `p-${containerPort}-${protocol.toLowerCase()}`,
          containerPort,
          protocol,
        })),
      ),
    },
  ],
};
const DENY_80 =
  '{ podSelector: {}, ingress: [{ ports: [{ port: 81, endPort: 65535 }, { protocol: UDP, port: 81, endPort: 65535 }] }] }';

/** What an attempt meets under each way to deny. */
const CASES: readonly { port: number; drop: ProbeResult['outcome']; reject: ProbeResult['outcome'] }[] = [
  { port: 80, drop: 'timeout', reject: 'rejected' },
  { port: 81, drop: 'connected', reject: 'connected' },
  { port: 82, drop: 'refused', reject: 'refused' }, // allowed, but nobody listens
];

test.each(['drop', 'reject'] as const)('what denied, allowed and refused attempts meet: %s', async (deny) => {
  await using lab = await TestLab.start({
    name: `deny-${deny}`,
    files: [
      {
        path: 'cluster.yaml',
        text:
          podManifest('default/client') +
          podManifest('servers/server', SERVING) +
          policyManifest('servers/deny', DENY_80),
      },
    ],
    options: { ...DEFAULT_OPTIONS, deny },
  });
  const attempts = CASES.flatMap((each) =>
    (['TCP', 'UDP'] as const).flatMap((protocol) => ([4, 6] as const).map((family) => ({ ...each, protocol, family }))),
  );
  const results = await lab.client.probe(
    attempts.map(({ port, protocol, family }) => ({
      from: lab.address('default/client', family),
      to: lab.address('servers/server', family),
      protocol,
      port,
      timeoutMs: 900, // before a SYN is sent again
    })),
  );
  expect(results.map(({ outcome, allowed }) => ({ outcome, allowed }))).toEqual(
    attempts.map((attempt) => ({ outcome: attempt[deny], allowed: attempt.port !== 80 })),
  );

  const curl = (port: number) =>
    execCapture(lab.client, {
      namespace: 'default',
      pod: 'client',
      command: ['curl', '-sS', '-m', '2', `http://${lab.address('servers/server')}:${port}/`],
      timeoutMs: 10_000,
    });
  const [denied, allowed, refused] = await Promise.all([curl(80), curl(81), curl(82)]);
  expect([denied.exit, allowed.exit, refused.exit]).toEqual([deny === 'drop' ? 28 : 7, 0, 7]);
  if (deny === 'reject') expect(denied.ms).toBeLessThan(1900); // it was told, and did not wait for its limit
});
