import { expect, test } from 'vitest';
import { PlaneFixture } from './plane-fixture.ts';

const META = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' };
const DENY = { ...META, metadata: { name: 'deny', namespace: 'default' }, spec: { podSelector: {} } };
const ALLOW = { ...DENY, spec: { podSelector: {}, ingress: [{}] } };

function file(object: object): { path: string; text: string } {
  return { path: 'staged.yaml', text: JSON.stringify(object) };
}

async function stage(fixture: PlaneFixture, object: object = DENY): Promise<void> {
  const { results, issues } = await fixture.plane.stage([file(object)]);
  expect(issues).toEqual([]);
  expect(results).toEqual([{ kind: 'NetworkPolicy', namespace: 'default', name: 'deny', action: 'staged' }]);
  expect(fixture.plane.staged?.count).toBe(1);
}

test('a staged policy is in no cluster that is enforced, and beside it or in its place in the other', async () => {
  const fixture = await PlaneFixture.start();
  await stage(fixture);
  const [update] = fixture.backend.taken().slice(-1);
  expect(update?.cluster.policies).toEqual([]);
  expect(update?.staged?.policies).toMatchObject([{ name: 'deny', source: { file: 'staged.yaml', line: 1 } }]);
  await fixture.apply(ALLOW);
  await stage(fixture);
  const [next] = fixture.backend.taken().slice(-1);
  const rules = [next?.cluster, next?.staged].map((cluster) => cluster?.policies.map(({ ingress }) => ingress));
  expect(rules).toMatchObject([[{ kind: 'isolates', rules: [{ index: 0 }] }], [{ kind: 'isolates', rules: [] }]]);
});

test.each([
  ['apply', (fixture: PlaneFixture) => fixture.apply(DENY), 1],
  [
    'delete',
    (fixture: PlaneFixture) => fixture.plane.delete([{ kind: 'NetworkPolicy', namespace: 'default', name: 'deny' }]),
    0,
  ],
  ['kubectl create', (fixture: PlaneFixture) => fixture.create(DENY), 1],
  ['kubectl delete of the staged one', (fixture: PlaneFixture) => fixture.delete('StagedNetworkPolicy', 'deny'), 0],
])('%s ends it', async (_, end, left) => {
  const fixture = await PlaneFixture.start();
  await stage(fixture);
  await end(fixture);
  expect(fixture.plane.staged).toBeUndefined();
  expect(fixture.plane.cluster.policies).toHaveLength(left);
  expect(fixture.backend.taken().at(-1)?.staged).toBeUndefined();
});

test('so does an apply that changes nothing else, and a delete of both', async () => {
  const fixture = await PlaneFixture.start([DENY]);
  await stage(fixture, ALLOW);
  expect((await fixture.apply(DENY)).results).toMatchObject([{ action: 'unchanged' }]);
  expect(fixture.plane.staged).toBeUndefined();
  await stage(fixture, ALLOW);
  await fixture.delete('NetworkPolicy', 'deny');
  expect(fixture.plane.staged).toBeUndefined();
});

test.each([
  ['what is no policy', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } }, /only a NetworkPolicy/],
  ['an invalid policy', { ...DENY, spec: { podSelector: {}, policyTypes: ['Up'] } }, /Unsupported value: "Up"/],
  ['a policy of a namespace that is not there', { ...DENY, metadata: { name: 'd', namespace: 'gone' } }, /not found/],
])('%s cannot be staged', async (_, object, message) => {
  const fixture = await PlaneFixture.start();
  const { issues } = await fixture.plane.stage([file(object)]);
  expect(issues.map((issue) => issue.message).join()).toMatch(message);
  expect(fixture.plane.staged).toBeUndefined();
});
