import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Attempt, DialOrder, Lane } from './attempt.ts';
import { podManifest, policyManifest, TestLab } from './lab-fixture.ts';

const ROUNDS = 30;
const LIFE_MS = 80; // enough for its command's first connections
const POD = 'closed/new';
const ADDRESSES = ['10.244.77.7', 'fd00:10:244::77:7'];
const PODS = podManifest('open/client') + podManifest('open/server');
const DENY = policyManifest('closed/deny', '{ podSelector: {}, policyTypes: [Ingress, Egress] }');

test('nothing passes to or from a new pod before its policies are in force', async () => {
  await using lab = await TestLab.start({ name: 'new-pods', files: [{ path: 'pods.yaml', text: PODS }] });
  await lab.apply(DENY);
  expect(await trafficOfNewPods(lab, ROUNDS)).toEqual({ reachedNewPods: 0, cameFromNewPods: 0 });

  await lab.deletePolicy('closed/deny');
  const free = await trafficOfNewPods(lab, ROUNDS / 3);
  expect(free.reachedNewPods).toBeGreaterThan(ROUNDS / 3);
  expect(free.cameFromNewPods).toBeGreaterThan(ROUNDS / 3);
});

/** Makes and deletes a pod again and again, and counts what passes between it and pods that nothing isolates. */
async function trafficOfNewPods(
  lab: TestLab,
  rounds: number,
): Promise<{ reachedNewPods: number; cameFromNewPods: number }> {
  const server = await lab.run('open/server', './echo-program.ts', { tcp: [80], udp: [53] });
  const client = await lab.run('open/client', './dial-program.ts', dialOrder());
  for (let round = 0; round < rounds; round++) {
    await lab.apply(newPod(lab.address('open/server', 4), lab.address('open/server', 6)));
    await delay(LIFE_MS);
    await lab.client.delete({ kind: 'Pod', namespace: 'closed', name: 'new' });
  }
  const attempts = await client.finish<Attempt[]>();
  const received = await server.finish<string[]>();
  expect(attempts.length).toBeGreaterThan(rounds);
  return {
    reachedNewPods: attempts.filter(({ answeredNs }) => answeredNs !== null).length,
    cameFromNewPods: received.length,
  };
}

function dialOrder(): DialOrder {
  const lane = { addresses: ADDRESSES, everyMs: 4, patienceMs: 100 };
  const lanes: Lane[] = [
    { ...lane, name: 'tcp', protocol: 'TCP', port: 80 },
    { ...lane, name: 'udp', protocol: 'UDP', port: 53 },
  ];
  return { lanes };
}

/** It serves, and dials these addresses from its first instant. */
function newPod(...targets: readonly string[]): string {
  const dials = targets.flatMap((to) => [`echo new | nc -u -q 0 -w 1 ${to} 53 &`, `nc -z -w 1 ${to} 80 &`]);
  const ports = [
    { name: 'http', containerPort: 80, protocol: 'TCP' },
    { name: 'dns', containerPort: 53, protocol: 'UDP' },
  ];
  const spec = {
    terminationGracePeriodSeconds: 0,
    containers: [
      { name: 'server', image: 'server', ports },
      { name: 'dialler', image: 'dialler', command: ['sh', '-c', `while :; do ${dials.join(' ')} sleep 0.03; done`] },
    ],
  };
  const [namespace, name] = POD.split('/');
  const status = { podIPs: ADDRESSES.map((ip) => ({ ip })) };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name }, spec, status });
}
