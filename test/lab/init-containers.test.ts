import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/manifest/json.ts';
import type { PodReport } from '../../src/lab/control-plane/backend.ts';
import { podStatusOf } from '../../src/lab/control-plane/pod-report.ts';
import { given } from '../builders/given.ts';
import { PlaneFixture } from './plane-fixture.ts';

const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: {
    initContainers: [
      { name: 'first', image: 'busybox' },
      { name: 'second', image: 'busybox' },
      { name: 'beside', image: 'busybox', restartPolicy: 'Always' },
    ],
    containers: [{ name: 'main', image: 'nginx' }],
  },
};
const PENDING: Partial<PodReport> = { phase: 'Pending', ready: false, containers: { ready: 0, total: 2 } };
const DONE = { terminated: { reason: 'Completed', exitCode: 0 } };
const NOT_YET = { waiting: { reason: 'PodInitializing' } };
const FIRST_DONE = new Map([['first', 0]]);

/** The states of a pod's containers, those of init first, and how many the lab says are ready. */
async function told(report: Partial<PodReport>): Promise<{ states: unknown[]; reason: string; ready: string }> {
  const lab = await PlaneFixture.start([POD]);
  await lab.say('web', report);
  const { initContainerStatuses, containerStatuses } = lab.object('Pod', 'web').status as Record<string, JsonObject[]>;
  const states = [...(initContainerStatuses ?? []), ...(containerStatuses ?? [])].map(({ state }) => state);
  const [pod] = lab.plane.cluster.pods.filter(({ name }) => name === 'web');
  const { reason, containers } = podStatusOf(given(pod, 'the pod'), lab.object('Pod', 'web'));
  return { states, reason, ready: `${containers.ready}/${containers.total}` };
}

it.each<[string, Partial<PodReport>, Awaited<ReturnType<typeof told>>]>([
  ['none has ended', PENDING, { states: [NOT_YET, NOT_YET, NOT_YET, NOT_YET], reason: '', ready: '0/2' }],
  [
    'one has ended',
    { ...PENDING, exitCodes: FIRST_DONE },
    { states: [DONE, NOT_YET, NOT_YET, NOT_YET], reason: '', ready: '0/2' },
  ],
])('a pod of whose init containers %s', async (_, report, wanted) => {
  expect(await told(report)).toEqual(wanted);
});

it('a pod whose init container fails again and again', async () => {
  const failing = { ...PENDING, reason: 'Init:CrashLoopBackOff', exitCodes: FIRST_DONE };
  const { states, reason } = await told(failing);
  expect(states.slice(0, 2)).toMatchObject([DONE, { waiting: { reason: 'CrashLoopBackOff' } }]);
  expect(reason).toBe('Init:CrashLoopBackOff');
});

it('a pod that runs: its init containers have ended, and only its sidecars count', async () => {
  const { states, ready } = await told({ containers: { ready: 2, total: 2 } });
  expect(states.slice(0, 2)).toEqual([DONE, DONE]);
  expect(states.slice(2)).toMatchObject([{ running: {} }, { running: {} }]);
  expect(ready).toBe('2/2');
});
