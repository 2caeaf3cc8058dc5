import { describe, expect, test } from 'vitest';
import { ageText } from '../../src/model/age.ts';
import { objectTable } from '../../src/report/object-table.ts';
import { printable, printableLine } from '../../src/report/printable.ts';
import { table } from '../../src/report/table.ts';

describe('table', () => {
  test('aligns columns, three spaces apart, and leaves the last one ragged', () => {
    expect(
      table([
        ['NAME', 'READY', 'AGE'],
        ['a', '1/1', '5s'],
        ['a-long-one', '0/1', '10m'],
      ]),
    ).toBe(['NAME         READY   AGE', 'a            1/1     5s', 'a-long-one   0/1     10m'].join('\n'));
  });

  test('keeps each cell on its line', () => {
    expect(table([['a\nb', 'c\x1b[1m']])).toBe('a b   c[1m');
  });
});

describe('printable', () => {
  test.each([
    ['an escape', 'a\x1b[31mb', 'a[31mb'],
    ['a bell and a backspace', 'a\x07\x08b', 'ab'],
    ['C1 controls', 'a\x9b31mb', 'a31mb'],
    ['a carriage return', 'a\rb', 'ab'],
    ['what turns text around', 'a\u202eb', 'ab'],
  ])('drops %s', (_, text, want) => {
    expect(printable(text)).toBe(want);
  });

  test('keeps lines, tabs and letters of any script', () => {
    expect(printable('a\n\tпод 豆 é')).toBe('a\n\tпод 豆 é');
    expect(printableLine('a\n\tb')).toBe('a b');
  });
});

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('ageText', () => {
  test.each([
    [-5, '0s'],
    [0, '0s'],
    [119 * SECOND, '119s'],
    [2 * MINUTE, '2m'],
    [3 * MINUTE + 20 * SECOND, '3m20s'],
    [15 * MINUTE + 20 * SECOND, '15m'],
    [179 * MINUTE, '179m'],
    [5 * HOUR + 10 * MINUTE, '5h10m'],
    [30 * HOUR, '30h'],
    [3 * DAY + 4 * HOUR, '3d4h'],
    [100 * DAY, '100d'],
    [2 * 365 * DAY, '2y'],
    [3 * 365 * DAY + 10 * DAY, '3y10d'],
  ])('shows %i ms as %s', (ms, want) => {
    expect(ageText(ms)).toBe(want);
  });
});

describe('objectTable', () => {
  const nowMs = Date.parse('2026-01-01T00:01:00Z');
  const metadata = { name: 'x', namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' };
  const pod = {
    metadata,
    spec: { containers: [{ name: 'a' }, { name: 'b' }], nodeName: 'node' },
    status: {
      phase: 'Running',
      podIP: '10.244.0.2',
      containerStatuses: [
        { ready: true, restartCount: 2 },
        { ready: false, restartCount: 1 },
      ],
    },
  };
  const waiting = { ...pod, status: { containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } } }] } };
  const selector = { matchLabels: { tier: 'a', app: 'web' } };

  test.each<[string, string, object, string]>([
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
      { metadata, spec: { clusterIP: '10.96.0.10', ports: [{ port: 53, protocol: 'UDP' }, { port: 53 }] } },
      'ClusterIP 10.96.0.10 <none> 53/UDP,53/TCP',
    ],
    ['Deployment', 'READY UP-TO-DATE AVAILABLE', { metadata, spec: {}, status: { readyReplicas: 1 } }, '1/1 0 0'],
    ['Job', 'COMPLETIONS', { metadata, spec: {}, status: { succeeded: 1 } }, '1/1'],
  ])('shows %s with %s', (kind, titles, object, cells) => {
    const lines = objectTable(kind, [object], { wide: false, withNamespace: false, nowMs }).split('\n');
    expect(lines.map((line) => line.replace(/ {2,}/g, ' '))).toEqual([`NAME ${titles} AGE`, `x ${cells} 60s`]);
  });

  test('adds namespaces, and addresses if wide', () => {
    const text = objectTable('Pod', [pod], { wide: true, withNamespace: true, nowMs });
    expect(text).toMatch(/^NAMESPACE +NAME .* IP +NODE /);
    expect(text).toMatch(/\nshop +x .* 10\.244\.0\.2 +node /);
  });

  test('survives objects without anything', () => {
    expect(objectTable('Pod', [{}, null], { wide: true, withNamespace: true, nowMs })).toContain('<unknown>');
  });
});
