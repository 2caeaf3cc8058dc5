import { expect, test } from 'vitest';
import { compare } from '../../src/diff/compare.ts';
import { diffText } from '../../src/diff/diff-text.ts';
import { grouped } from '../../src/diff/group.ts';
import { workload, SCALES } from '../../src/bench/workload.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { cluster } from '../builders/cluster.ts';
import { pod, type PodNotation } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';

const MAX_CPU_MS = 5000;

/** A pod of a Deployment. */
function replica(deployment: string, number: number, notation: PodNotation) {
  const made = pod({ name: `${deployment}-${number}`, labels: { app: deployment }, ...notation });
  return { ...made, owner: { kind: 'Deployment', name: deployment } };
}

const PODS = [
  replica('web', 1, { ip: '10.0.0.1', ports: ['http=8080'], node: '192.168.0.1' }),
  replica('web', 2, { ip: '10.0.0.2', ports: ['http=8080'], node: '192.168.0.1' }),
  pod({ name: 'client', labels: { app: 'client' }, ip: '10.0.0.3', node: '192.168.0.2' }),
  pod({ name: 'monitor', namespace: 'watch', ip: '10.0.0.4', node: '192.168.0.2' }),
];

/** The diff as text, but for its last line. */
function linesOf(before: Cluster, after: Cluster): string[] {
  const comparison = compare({ before, after });
  return diffText(grouped(comparison.changes), comparison, false).split('\n').slice(0, -1);
}

const open = cluster({ pods: PODS });
const deny = policy({ name: 'deny', ingress: [] });

test.each([
  ['nothing', [], []],
  [
    'default deny, but for the nodes of the pods',
    [deny],
    [
      '- every pod (4), outside 0.0.0.0/0 -> every pod of default (3)  every port',
      '- node 192.168.0.2 -> default/deployment/web (2)  every port',
      '- node 192.168.0.1 -> default/client  every port',
    ],
  ],
  [
    'a named port',
    [policy({ pods: { app: 'web' }, ingress: [{ ports: ['http'] }] })],
    [
      '- every pod (4), outside 0.0.0.0/0 -> default/deployment/web (2)  1-8079/TCP, 8081-65535/TCP, UDP, SCTP, ICMP',
      '- node 192.168.0.2 -> default/deployment/web (2)  1-8079/TCP, 8081-65535/TCP, UDP, SCTP, ICMP',
    ],
  ],
  [
    'a block with an except, of the pods too',
    [policy({ pods: { app: 'client' }, egress: [{ to: [{ block: '10.0.0.0/24', except: ['10.0.0.2/32'] }] }] })],
    [
      '- default/client -> default/web-2, outside 0.0.0.0/5, outside 8.0.0.0/7, outside 10.0.0.2/32, outside 10.0.1.0/24, outside 10.0.2.0/23, and 20 more  every port',
      '- default/client -> node 192.168.0.1  every port',
    ],
  ],
])('%s', (_, policies, want) => {
  expect(linesOf(open, { ...open, policies })).toEqual(want);
  // The other way round, everything is allowed again.
  expect(linesOf({ ...open, policies }, open)).toEqual(want.map((line) => line.replace(/^-/, '+')));
});

test('pods of a workload are compared though their names have changed', () => {
  const renamed = PODS.map((each) =>
    each.owner.kind === 'Deployment'
      ? { ...each, name: `${each.name}-new`, labels: new Map([['app', 'other']]) }
      : each,
  );
  const policies = [policy({ pods: { app: 'web' }, ingress: [{ from: [{ pods: { app: 'client' } }] }] })];
  const comparison = compare({ before: { ...open, policies }, after: { ...open, pods: renamed, policies } });
  expect(comparison).toMatchObject({ added: [], removed: [] });
  expect(diffText(grouped(comparison.changes), comparison, false)).toMatch(
    /^\+ .*watch\/monitor.* -> default\/deployment\/web \(2\) {2}every port$/m,
  );
});

test('pods that are on one side only are named and not compared', () => {
  const fewer = { ...open, pods: PODS.slice(0, 3) };
  expect(compare({ before: open, after: fewer })).toMatchObject({ changes: [], added: [], removed: ['watch/monitor'] });
  expect(compare({ before: fewer, after: open })).toMatchObject({ changes: [], added: ['watch/monitor'], removed: [] });
});

test(`1,000 pods and 500 policies, half of them gone, in under ${MAX_CPU_MS} ms`, { timeout: 60_000 }, () => {
  const before = workload(SCALES.M, 1);
  const started = process.cpuUsage(); // other tests run at the same time
  const comparison = compare({ before, after: { ...before, policies: before.policies.slice(250) } });
  const groups = grouped(comparison.changes);
  const { user } = process.cpuUsage(started);
  console.log(`compared and grouped in ${Math.round(user / 1000)} ms: ${groups.length} groups`);
  expect(groups.length).toBeGreaterThan(10);
  expect(user / 1000).toBeLessThan(MAX_CPU_MS);
});
