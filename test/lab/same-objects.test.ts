import { expect, test } from 'vitest';
import { withSameObjects } from '../../src/lab/same-objects.ts';
import { build, randomCluster } from '../builders/random-cluster.ts';
import { Random } from '../builders/random.ts';

const SEED = 20_261_126;

test('a cluster that is read again consists of the same objects, but for what has changed', () => {
  const [one, again] = [SEED, SEED].map((seed) => build(randomCluster(new Random(seed))));
  if (!one || !again) throw new Error('two were built');
  const [first, ...others] = again.pods;
  if (!first) throw new Error('a random cluster has pods');
  const changed = { ...first, labels: new Map([...first.labels, ['changed', 'yes']]) };
  const got = withSameObjects({ ...again, pods: [changed, ...others] }, one);
  expect(got).toEqual({ ...again, pods: [changed, ...others] });
  expect(got.pods[0]).toBe(changed);
  expect(got.pods.slice(1).every((pod, index) => pod === one.pods[index + 1])).toBe(true);
  expect(got.policies.every((policy, index) => policy === one.policies[index])).toBe(true);
  expect([...got.namespaces.values()].every((each) => each === one.namespaces.get(each.name))).toBe(true);
});
