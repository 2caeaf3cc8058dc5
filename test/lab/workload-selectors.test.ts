import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/manifest/json.ts';
import { given } from '../builders/given.ts';
import { PlaneFixture } from './plane-fixture.ts';

const CONTAINERS = [{ name: 'main', image: 'nginx:1.27' }];
const LABELS = { app: 'x' };
const SELECTOR = { matchLabels: LABELS };

describe('a Job', () => {
  const template = { metadata: { labels: LABELS }, spec: { containers: CONTAINERS, restartPolicy: 'Never' } };
  const batch = (kind: string, spec: JsonObject): JsonObject => {
    return { apiVersion: 'batch/v1', kind, metadata: { name: 'x', namespace: 'default' }, spec };
  };
  const job = (spec: JsonObject = {}): JsonObject => batch('Job', { template, ...spec });

  it.each([
    ['that is applied', job()],
    ['of a CronJob', batch('CronJob', { schedule: '@daily', jobTemplate: { spec: { template } } })],
  ])('%s selects its pods by its uid', async (_, manifest) => {
    const lab = await PlaneFixture.start([manifest]);
    const { metadata, spec } = given(lab.objects('Job')[0], 'a Job');
    const own = { 'batch.kubernetes.io/controller-uid': metadata.uid };
    const labels = {
      ...LABELS,
      ...own,
      'batch.kubernetes.io/job-name': metadata.name,
      'controller-uid': metadata.uid,
      'job-name': metadata.name,
    };
    expect(spec).toMatchObject({ selector: { matchLabels: own }, template: { metadata: { labels } } });
    expect(lab.objects('Pod').map((pod) => pod.metadata.labels)).toEqual([labels]);
    expect((await lab.apply(manifest)).results).toMatchObject([{ action: 'unchanged' }]);
  });

  it('that says itself what it selects is left as it is', async () => {
    const lab = await PlaneFixture.start([job({ manualSelector: true, selector: SELECTOR })]);
    expect(lab.object('Job', 'x').spec).toMatchObject({
      selector: SELECTOR,
      template: { metadata: template.metadata },
    });
  });

  it('that is stored without a selector, as by an earlier version, goes on and can be applied again', async () => {
    const lab = await PlaneFixture.start();
    lab.plane.store.system.put({
      ...job(),
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'x', namespace: 'default' },
    });
    expect((await lab.apply(job({ parallelism: 2 }))).issues).toEqual([]);
    expect(lab.pods()).toHaveLength(1);
    expect(lab.object('Job', 'x').spec).not.toHaveProperty('selector');
  });
});

describe.each([
  ['ReplicaSet', 'apps/v1', SELECTOR],
  ['ReplicationController', 'v1', LABELS],
])('a %s', (kind, apiVersion, selector) => {
  const template = { metadata: { labels: LABELS }, spec: { containers: CONTAINERS } };
  const set = { apiVersion, kind, metadata: { name: 'x' }, spec: { replicas: 2, selector, template } };
  const bare = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare', labels: LABELS }, spec: template.spec };
  const relabel = (lab: PlaneFixture, name: string, app: string): Promise<unknown> =>
    lab.plane.label({ kind: 'Pod', namespace: 'default', name }, { app });
  const ownersOf = (lab: PlaneFixture, name: string): unknown => lab.object('Pod', name).metadata.ownerReferences;

  it('lets a pod go that gets other labels, and replaces it at once', async () => {
    const lab = await PlaneFixture.start([set]);
    const [gone = '', kept = ''] = lab.pods();
    lab.backend.taken();
    await relabel(lab, gone, 'quarantine');
    const fresh = lab.pods().filter((name) => name !== gone && name !== kept);
    expect(fresh).toHaveLength(1);
    expect(ownersOf(lab, gone)).toBeUndefined();
    expect(lab.backend.taken()[0]).toMatchObject({ begun: [{ name: fresh[0] }], ended: [] });
    expect(lab.plane.cluster.pods.find(({ name }) => name === gone)?.owner).toEqual({ kind: 'Pod', name: gone });
    expect(lab.object(kind, 'x').status).toMatchObject({ replicas: 2, readyReplicas: 2 });
    await lab.delete(kind, 'x');
    expect(lab.pods()).toEqual([gone]);
  });

  it('takes a pod back that gets its labels again, and has no more than before', async () => {
    const lab = await PlaneFixture.start([set]);
    const before = lab.pods();
    await relabel(lab, given(before[0], 'a pod'), 'quarantine');
    await relabel(lab, given(before[0], 'a pod'), 'x');
    expect(lab.pods().toSorted()).toEqual(before.toSorted());
  });

  it('has a pod for its own that was there before it', async () => {
    const lab = await PlaneFixture.start([bare]);
    await lab.apply(set);
    expect(lab.pods()).toHaveLength(2);
    expect(ownersOf(lab, 'bare')).toMatchObject([{ kind, name: 'x', controller: true }]);
  });

  it('ends a pod that it has no need of, also one that is created this moment', async () => {
    const lab = await PlaneFixture.start([set]);
    const before = lab.pods();
    await lab.create(bare);
    expect(lab.pods()).toEqual(before);
    expect(lab.object(kind, 'x').status).toMatchObject({ replicas: 2 });
  });

  it('leaves pods alone that are over, that have another owner, or that are elsewhere', async () => {
    const lab = await PlaneFixture.start([{ ...bare, status: { phase: 'Succeeded' } }]);
    const owner = { apiVersion: 'example.com/v1', kind: 'Game', name: 'chess', uid: 'u', controller: true };
    await lab.apply({ ...bare, metadata: { ...bare.metadata, name: 'owned', ownerReferences: [owner] } });
    await lab.apply({ ...bare, metadata: { ...bare.metadata, namespace: 'shop' } });
    await lab.apply(set);
    expect(lab.pods()).toHaveLength(4);
    expect(ownersOf(lab, 'bare')).toBeUndefined();
    expect(ownersOf(lab, 'owned')).toEqual([owner]);
  });
});
