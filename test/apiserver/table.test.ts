import { describe, expect, it } from 'vitest';
import { textOf, type JsonObject } from '../../src/manifest/json.ts';
import type { ApiObject } from '../../src/apiserver/api-object.ts';
import { ageText } from '../../src/model/age.ts';
import { columnDefinitions, tableRow } from '../../src/apiserver/table/table.ts';

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

it.each([
  [-5, '0s'],
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [200, '3m20s'],
  [600, '10m'],
  [HOUR_SECONDS * 3 - 1, '179m'],
  [HOUR_SECONDS * 5 + 600, '5h10m'],
  [HOUR_SECONDS * 30, '30h'],
  [DAY_SECONDS * 3 + HOUR_SECONDS * 4, '3d4h'],
  [DAY_SECONDS * 100, '100d'],
  [DAY_SECONDS * 365 * 3 + DAY_SECONDS, '3y1d'],
])('an age of %d s is shown as %s', (seconds, text) => {
  expect(ageText(seconds * 1000)).toBe(text);
});

/** The row of an object by the names of its columns. */
function rowOf(kind: string, object: JsonObject): Record<string, unknown> {
  const metadata = { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' };
  const whole: ApiObject = { apiVersion: 'v1', kind, metadata, ...object };
  const { cells } = tableRow(whole, { kind, now: new Date('2026-01-01T00:01:00Z'), include: 'None' });
  const names = columnDefinitions(kind).map((column) => textOf(column, 'name'));
  return Object.fromEntries(names.map((name, index): [string, unknown] => [name, (cells as unknown[])[index]]));
}

describe('a row', () => {
  const terminated = (reason: string): JsonObject => ({ ready: false, state: { terminated: { reason, exitCode: 3 } } });
  const running = { ready: true, restartCount: 2, state: { running: {} } };
  const spec = { containers: [{}, {}] };
  const waiting = (reason: string): JsonObject => ({ state: { waiting: { reason } } });
  const done = { state: { terminated: { reason: 'Completed', exitCode: 0 } } };
  const initialising = (...initContainerStatuses: JsonObject[]): JsonObject => ({
    spec: { ...spec, initContainers: [{ name: 's', restartPolicy: 'Always' }, { name: 'i' }] },
    status: { phase: 'Pending', initContainerStatuses, containerStatuses: [waiting('PodInitializing')] },
  });

  it.each<[string, JsonObject, JsonObject]>([
    ['pending', { spec, status: { phase: 'Pending' } }, { Ready: '0/2', Status: 'Pending', Restarts: '0' }],
    [
      'running',
      { spec, status: { phase: 'Running', containerStatuses: [running, running] } },
      { Ready: '2/2', Restarts: '4' },
    ],
    [
      'in a crash loop',
      {
        spec,
        status: { phase: 'Running', containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } } }] },
      },
      { Ready: '0/2', Status: 'CrashLoopBackOff' },
    ],
    [
      'completed',
      { spec, status: { phase: 'Succeeded', containerStatuses: [terminated('Completed')] } },
      { Status: 'Completed' },
    ],
    ['failed', { spec, status: { phase: 'Failed', containerStatuses: [terminated('')] } }, { Status: 'ExitCode:3' }],
    ['evicted', { spec, status: { phase: 'Failed', reason: 'Evicted' } }, { Status: 'Evicted' }],
    [
      'with a sidecar',
      { spec: { ...spec, initContainers: [{ name: 's', restartPolicy: 'Always' }] } },
      { Ready: '0/3' },
    ],
    [
      'before its first init container',
      initialising(waiting('PodInitializing'), {}),
      { Ready: '0/3', Status: 'Init:0/2' },
    ],
    ['in its second init container', initialising(done, { state: { running: {} } }), { Status: 'Init:1/2' }],
    [
      'in a crash loop of an init container',
      initialising(waiting('CrashLoopBackOff')),
      { Status: 'Init:CrashLoopBackOff' },
    ],
    ['at an init container that failed', initialising(done, terminated('')), { Status: 'Init:ExitCode:3' }],
    ['past its init containers', initialising(done, done), { Status: 'PodInitializing' }],
    ['beyond a sidecar', initialising({ ...running, name: 's', started: true }, {}), { Status: 'Init:1/2' }],
  ])('of a pod that is %s', (_, pod, cells) => {
    expect(rowOf('Pod', pod)).toMatchObject(cells);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ['NetworkPolicy', { spec: { podSelector: {} } }, { 'Pod-Selector': '<none>', Age: '60s' }],
    [
      'NetworkPolicy',
      {
        spec: {
          podSelector: {
            matchLabels: { b: '1' },
            matchExpressions: [{ key: 'a', operator: 'In', values: ['y', 'x'] }],
          },
        },
      },
      { 'Pod-Selector': 'a in (x,y),b=1' },
    ],
    [
      'Service',
      { spec: { type: 'ClusterIP', clusterIP: 'None', ports: [{ port: 80, nodePort: 30080 }] } },
      { 'Cluster-IP': 'None', 'Port(s)': '80:30080/TCP' },
    ],
    [
      'Service',
      { spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } },
      { 'External-IP': '1.2.3.4' },
    ],
    [
      'Deployment',
      { spec: { replicas: 3 }, status: { readyReplicas: 1 } },
      { Ready: '1/3', 'Up-to-date': 0, Available: 0 },
    ],
    [
      'Job',
      { spec: { completions: 2 }, status: { succeeded: 2, conditions: [{ type: 'Complete', status: 'True' }] } },
      { Status: 'Complete', Completions: '2/2' },
    ],
    [
      'Endpoints',
      { subsets: [{ addresses: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], ports: [{ port: 80 }, { port: 443 }] }] },
      { Endpoints: '10.0.0.1:80,[fd00::1]:80,10.0.0.1:443 + 1 more...' },
    ],
    ['Endpoints', {}, { Endpoints: '<none>' }],
    [
      'EndpointSlice',
      { addressType: 'IPv4', ports: [{ port: 80 }], endpoints: [{ addresses: ['10.0.0.1'] }] },
      { AddressType: 'IPv4', Ports: '80', Endpoints: '10.0.0.1' },
    ],
    [
      'Node',
      {
        metadata: { name: 'n', labels: { 'node-role.kubernetes.io/control-plane': '' } },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      },
      { Status: 'Ready', Roles: 'control-plane' },
    ],
    [
      'Event',
      {
        type: 'Warning',
        reason: 'R',
        message: 'm\n',
        involvedObject: { kind: 'Pod', name: 'p' },
        lastTimestamp: '2026-01-01T00:00:50Z',
      },
      { 'Last Seen': '10s', Object: 'pod/p', Message: 'm', Count: '1' },
    ],
  ])('of a %s %j', (kind, object, cells) => {
    expect(rowOf(kind, object)).toMatchObject(cells);
  });
});
