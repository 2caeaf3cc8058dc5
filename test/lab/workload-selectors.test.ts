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
