import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { textAt, type ApiObject } from '../../src/apiserver/api-object.ts';
import { FlowLog } from '../../src/flows/flow-log.ts';
import type { JsonObject } from '../../src/manifest/json.ts';
import { flow } from './lab-double.ts';
import { PlaneFixture } from './plane-fixture.ts';

const HOUR_MS = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-02T03:04:05Z') });
});

afterEach(() => {
  vi.useRealTimers();
});

function pod(name: string, image = 'nginx'): JsonObject {
  const spec = { containers: [{ name: 'main', image }] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec };
}

function events(lab: PlaneFixture, reason?: string): ApiObject[] {
  return lab.objects('Event').filter((event) => reason === undefined || event.reason === reason);
}

/** A lab with two pods, and the log from which its denials come. */
async function denying(): Promise<{ lab: PlaneFixture; log: FlowLog; now: () => number }> {
  const lab = await PlaneFixture.start([pod('client'), pod('web')]);
  const log = new FlowLog(100);
  lab.plane.recordDenials(log, 'drop');
  await vi.advanceTimersByTimeAsync(0);
  return { lab, log, now: () => Date.now() };
}

describe('a denied connection', () => {
  it('is an Event of the pods at both ends', async () => {
    const { lab, log, now } = await denying();
    log.add(flow({ at: now(), from: 'default/client', verdict: 'deny' }));
    log.add(flow({ at: now(), from: 'default/client' }));
    expect(events(lab, 'PolicyDenied')).toMatchObject([
      {
        involvedObject: { kind: 'Pod', name: 'client', uid: lab.object('Pod', 'client').metadata.uid },
        message: 'dropped TCP 80 to default/web: default/deny-all isolates ingress, no rule matches',
        ...{ type: 'Warning', count: 1, source: { component: 'netpol-lab' } },
      },
      {
        involvedObject: { name: 'web' },
        message: 'dropped TCP 80 from default/client: default/deny-all isolates ingress, no rule matches',
      },
    ]);
  });

  it('that comes again is counted, and written once a second', async () => {
    const { lab, log, now } = await denying();
    const before = Number(lab.plane.store.objects.resourceVersion);
    for (let attempt = 0; attempt < 500; attempt += 1) {
      log.add(flow({ at: now(), from: 'default/client', sourcePort: 40_000 + attempt, verdict: 'deny' }));
    }
    expect(Number(lab.plane.store.objects.resourceVersion) - before).toBe(2);
    await vi.advanceTimersByTimeAsync(1000);
    const denied = events(lab, 'PolicyDenied');
    expect(denied.map(({ count }) => count)).toEqual([500, 500]);
    expect(denied[0]).toMatchObject({ firstTimestamp: '2026-01-02T03:04:05Z', lastTimestamp: '2026-01-02T03:04:05Z' });
    expect(Number(lab.plane.store.objects.resourceVersion) - before).toBe(4);
  });

  it('from outside is an Event of the pod alone, whose number is bounded', async () => {
    const { lab, log, now } = await denying();
    for (let port = 1; port <= 1000; port += 1) log.add(flow({ at: now(), from: '', port, verdict: 'deny' }));
    const denied = events(lab, 'PolicyDenied');
    expect(denied.length).toBeGreaterThan(5);
    expect(denied.length).toBeLessThanOrEqual(25);
    expect(denied[0]?.message).toContain('from 10.244.0.5');
  });

  it('names a few of many policies', async () => {
    const { lab, log, now } = await denying();
    const policies = Array.from({ length: 100 }, (_, index) => ({
      ...{ namespace: 'default', name: `p${index}`, rule: null },
      ...{ file: 'p.yaml', line: 1 },
    }));
    const ingress = { verdict: 'deny', isolated: true, policies } as const;
    log.add(flow({ at: now(), from: '', verdict: 'deny', ingress }));
    expect(events(lab, 'PolicyDenied')[0]?.message).toBe(
      'dropped TCP 80 from 10.244.0.5: default/p0 and default/p1 and default/p2 and 97 more isolate ingress, no rule matches',
    );
  });

  it('is forgotten an hour after its last time', async () => {
    const { lab, log, now } = await denying();
    log.add(flow({ at: now(), from: '', verdict: 'deny' }));
    await vi.advanceTimersByTimeAsync(HOUR_MS / 2);
    log.add(flow({ at: now(), from: '', verdict: 'deny' }));
    await vi.advanceTimersByTimeAsync(HOUR_MS - 60_000);
    expect(events(lab).map(({ reason, count }) => [reason, count])).toEqual([['PolicyDenied', 2]]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(events(lab)).toEqual([]);
  });
});

it('what becomes of pods and workloads is told', async () => {
  const lab = await PlaneFixture.start();
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'nginx' }] } };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  await lab.apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec });
  await vi.advanceTimersByTimeAsync(0);
  const [name = ''] = lab.pods();
  const [set = ''] = lab.objects('ReplicaSet').map(({ metadata }) => metadata.name);
  const told = (): string[] =>
    events(lab).map(
      (event) => `${textAt(event, 'involvedObject', 'kind')} ${textAt(event, 'reason')}: ${textAt(event, 'message')}`,
    );
  expect(told().sort()).toEqual([
    `Deployment ScalingReplicaSet: Scaled up replica set ${set} from 0 to 1`,
    `Pod Scheduled: Successfully assigned default/${name} to node`,
    'Pod Started: Started container main',
    `ReplicaSet SuccessfulCreate: Created pod: ${name}`,
  ]);
  await lab.say(name, { ready: false, restarts: 1, reason: 'CrashLoopBackOff', message: 'exit code 1' });
  await lab.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { ...spec, replicas: 0 },
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(told()).toEqual(
    expect.arrayContaining([
      `Pod BackOff: Back-off restarting failed container main in pod ${name}`,
      `ReplicaSet SuccessfulDelete: Deleted pod: ${name}`,
      `Deployment ScalingReplicaSet: Scaled down replica set ${set} from 1 to 0`,
    ]),
  );
});
