import { describe, expect, test } from 'vitest';
import { objectTable } from '../../src/cli/object-table.ts';
import type { JsonObject } from '../../src/manifest/json.ts';

describe('objectTable', () => {
  const now = new Date('2026-01-01T00:01:00Z');
  const metadata = { name: 'x', namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' };
  const pod = {
    metadata,
    spec: { containers: [{ name: 'a' }, { name: 'b' }], nodeName: 'node' },
    status: {
      phase: 'Running',
      podIP: '10.244.0.2',
      containerStatuses: [
        { ready: true, restartCount: 2, state: { running: {} } },
        { ready: false, restartCount: 1 },
      ],
    },
  };
  const waiting = { ...pod, status: { containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } } }] } };
  const selector = { matchLabels: { tier: 'a', app: 'web' } };

  test.each<[string, string, JsonObject, string]>([
    ['Pod', 'READY STATUS RESTARTS', pod, '1/2 Running 3'],
    ['Pod', 'READY STATUS RESTARTS', waiting, '0/2 CrashLoopBackOff 0'],
    ['NetworkPolicy', 'POD-SELECTOR', { metadata, spec: { podSelector: {} } }, '<none>'],
    ['NetworkPolicy', 'POD-SELECTOR', { metadata, spec: { podSelector: selector } }, 'app=web,tier=a'],
    [
      'NetworkPolicy',
      'POD-SELECTOR',
      {
        metadata,
        spec: {
          podSelector: {
            matchExpressions: [
              { key: 'a', operator: 'NotIn', values: ['z', 'b'] },
              { key: 'c', operator: 'DoesNotExist' },
            ],
          },
        },
      },
      'a notin (b,z),!c',
    ],
    ['Namespace', 'STATUS', { metadata, status: { phase: 'Active' } }, 'Active'],
    [
      'Service',
      'TYPE CLUSTER-IP EXTERNAL-IP PORT(S)',
      {
        metadata,
        spec: { type: 'ClusterIP', clusterIP: '10.96.0.10', ports: [{ port: 53, protocol: 'UDP' }, { port: 53 }] },
      },
      'ClusterIP 10.96.0.10 <none> 53/UDP,53/TCP',
    ],
    ['Deployment', 'READY UP-TO-DATE AVAILABLE', { metadata, spec: {}, status: { readyReplicas: 1 } }, '1/1 0 0'],
    ['Job', 'STATUS COMPLETIONS DURATION', { metadata, spec: {}, status: { succeeded: 1 } }, 'Running 1/1'],
  ])('shows %s with %s', (kind, titles, object, cells) => {
    const lines = objectTable(kind, [object], { wide: false, withNamespace: false, now }).split('\n');
    expect(lines.map((line) => line.replace(/ {2,}/g, ' '))).toEqual([`NAME ${titles} AGE`, `x ${cells} 60s`]);
  });

  test('adds namespaces, and addresses if wide', () => {
    const text = objectTable('Pod', [pod], { wide: true, withNamespace: true, now });
    expect(text).toMatch(/^NAMESPACE +NAME .* IP +NODE /);
    expect(text).toMatch(/\nshop +x .* 10\.244\.0\.2 +node /);
  });

  test('survives objects without anything', () => {
    expect(objectTable('Pod', [{}], { wide: true, withNamespace: true, now })).toContain('<unknown>');
  });
});
