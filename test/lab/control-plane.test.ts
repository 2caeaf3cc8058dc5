import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ApiStore } from '../../src/apiserver/api-store.ts';
import { isReady } from '../../src/lab/control-plane/workload-pods.ts';
import type { JsonObject } from '../../src/manifest/json.ts';
import { podKey } from '../../src/model/pod.ts';
import { PlaneFixture, report } from './plane-fixture.ts';

const CONTAINERS = [{ name: 'main', image: 'nginx:1.27', ports: [{ containerPort: 80 }] }];

function pod(name: string, more: JsonObject = {}): JsonObject {
  const metadata = { name, labels: { app: name } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: CONTAINERS }, ...more };
}

function policy(name: string, app: string): JsonObject {
  const spec = { podSelector: { matchLabels: { app } }, policyTypes: ['Ingress'] };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name }, spec };
}

function service(name: string): JsonObject {
  const spec = { selector: { app: name }, ports: [{ port: 80 }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec };
}

function deployment(name: string, { replicas = 2, image = 'nginx:1.27' } = {}): JsonObject {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image }] } };
  const spec = { replicas, selector: { matchLabels: labels }, template };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec };
}

describe('a change', () => {
  it('is put in force before it is stored', async () => {
    const lab = await PlaneFixture.start([pod('web')]);
    const seen: { policies: number; stored: number }[] = [];
    lab.backend.onEnforce = ({ cluster }) => {
      seen.push({ policies: cluster.policies.length, stored: lab.objects('NetworkPolicy').length });
    };
    await lab.create(policy('deny', 'web'));
    await lab.plane.delete([{ kind: 'NetworkPolicy', namespace: 'default', name: 'deny' }]);
    expect(seen).toEqual([
      { policies: 1, stored: 0 },
      { policies: 0, stored: 1 },
    ]);
  });

  it('leaves what it does not touch the same', async () => {
    const lab = await PlaneFixture.start([pod('web'), pod('other'), policy('first', 'web')]);
    const before = lab.plane.cluster;
    await lab.apply(policy('second', 'other'));
    await lab.plane.label({ kind: 'Pod', namespace: 'default', name: 'web' }, { tier: 'front' });
    const after = lab.plane.cluster;
    expect(after.pods.find(({ name }) => name === 'other')).toBe(before.pods.find(({ name }) => name === 'other'));
    expect(after.policies[0]).toBe(before.policies[0]);
    expect(after.pods.find(({ name }) => name === 'web')?.labels.get('tier')).toBe('front');
  });

  it('of which one object is refused makes nothing, and gives its addresses back', async () => {
    const lab = await PlaneFixture.start();
    lab.backend.taken();
    const taken = { ...pod('taken'), status: { podIP: '10.96.0.1' } };
    const clash = { ...service('clash'), spec: { clusterIP: '10.96.0.10', ports: [{ port: 80 }] } };
    const { issues, results } = await lab.apply(pod('first'), taken, policy('fine', 'web'), clash);
    expect(issues.map(({ name, message }) => `${name}: ${message}`)).toEqual([
      'clash: Duplicate value: "10.96.0.10": Service kube-system/kube-dns has this address',
    ]);
    expect(results).toEqual([]);
    expect([...lab.pods(), ...lab.objects('NetworkPolicy')]).toEqual([]);
    expect(lab.backend.taken()).toEqual([]);
    await lab.apply(pod('next'));
    const other = { ...pod('heir'), status: { podIP: '10.96.0.1' } };
    expect((await lab.apply(other)).issues).toEqual([]);
  });

  it('that is invalid says where it is written', async () => {
    const lab = await PlaneFixture.start();
    const bad = { ...policy('bad', 'web'), spec: { podSelector: {}, policyTypes: ['Sideways'] } };
    expect((await lab.apply(pod('a'), bad)).issues).toMatchObject([
      { file: 'test.yaml', line: 3, name: 'bad', field: 'spec.policyTypes[0]' },
    ]);
  });

  it('tells created from configured from unchanged', async () => {
    const lab = await PlaneFixture.start();
    const actions = async (...objects: JsonObject[]): Promise<string[]> =>
      (await lab.apply(...objects)).results.map(({ action }) => action);
    expect(await actions(pod('a'), policy('p', 'a'), service('s'))).toEqual(['created', 'created', 'created']);
    expect(await actions(pod('a'), policy('p', 'a'), service('s'))).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(await actions(policy('p', 'b'))).toEqual(['configured']);
  });

  it('keeps labels that the manifest does not name, and takes away those that it named before', async () => {
    const lab = await PlaneFixture.start([pod('a', { metadata: { name: 'a', labels: { app: 'a', old: 'x' } } })]);
    await lab.plane.label({ kind: 'Pod', namespace: 'default', name: 'a' }, { set: 'by-hand', app: 'changed' });
    await lab.apply(pod('a'));
    expect(lab.object('Pod', 'a').metadata.labels).toEqual({ app: 'a', set: 'by-hand' });
  });

  it('makes the namespaces that it needs', async () => {
    const lab = await PlaneFixture.start([{ ...pod('a'), metadata: { name: 'a', namespace: 'shop' } }]);
    expect(lab.plane.cluster.namespaces.get('shop')?.labels.get('kubernetes.io/metadata.name')).toBe('shop');
  });
});

describe('pods', () => {
  it('have a node and addresses before they begin, and keep what a manifest gives them', async () => {
    const lab = await PlaneFixture.start();
    lab.backend.taken();
    await lab.apply(pod('own'), { ...pod('given'), status: { podIP: '10.9.9.9' } });
    const [update] = lab.backend.taken();
    expect(update?.begun.map(({ addresses }) => addresses[0]?.text)).toEqual([
      expect.stringMatching(/^10\.244\./),
      '10.9.9.9',
    ]);
    expect(lab.object('Pod', 'own')).toMatchObject({
      spec: { nodeName: 'node' },
      status: { phase: 'Running', hostIP: '172.18.0.2' },
    });
  });

  it('that finish are no longer judged, and their addresses are free', async () => {
    const lab = await PlaneFixture.start([pod('once')]);
    const address = lab.object('Pod', 'once').status as { podIP: string };
    lab.backend.taken();
    await lab.say('once', { phase: 'Succeeded', ready: false });
    expect(lab.backend.taken()[0]).toMatchObject({ finished: ['default/once'], judged: true });
    const heir = { ...pod('heir'), status: { podIP: address.podIP } };
    expect((await lab.apply(heir)).issues).toEqual([]);
  });

  it('whose readiness changes cost no new verdicts', async () => {
    const lab = await PlaneFixture.start([pod('web'), service('web')]);
    lab.backend.taken();
    await lab.say('web', { ready: false, containers: { ready: 0, total: 1 } });
    const updates = lab.backend.taken();
    expect(updates.map(({ judged, served }) => ({ judged, served }))).toEqual([{ judged: false, served: true }]);
    expect(lab.object('Endpoints', 'web').subsets).toMatchObject([{ notReadyAddresses: [{ nodeName: 'node' }] }]);
    expect(lab.object('Endpoints', 'web').subsets).not.toMatchObject([{ addresses: [{}] }]);
  });

  it('tell when a condition last changed', async () => {
    const lab = await PlaneFixture.start([pod('web')]);
    const transition = (type: string): unknown =>
      (lab.object('Pod', 'web').status as { conditions: JsonObject[] }).conditions.find((one) => one.type === type);
    const before = transition('Initialized');
    await lab.say('web', { ready: false });
    expect(transition('Initialized')).toEqual(before);
    expect(transition('Ready')).toMatchObject({ status: 'False' });
  });

  it('that report addresses over the API are judged from then on', async () => {
    const lab = await PlaneFixture.start([pod('web')], { givesPodAddresses: false });
    expect(lab.plane.cluster.pods[0]?.addresses).toEqual([]);
    lab.backend.taken();
    const target = { ...lab.target('Pod', 'web'), subresource: 'status' as const };
    const status = { phase: 'Running', podIP: '10.244.0.9', podIPs: [{ ip: '10.244.0.9' }] };
    const options = { dryRun: false, fieldValidation: 'Strict', fieldManager: 'proxy', warn: () => undefined } as const;
    await lab.plane.store.users.update(target, (object) => ({ ...object, status }), options);
    const [update] = lab.backend.taken();
    expect(update).toMatchObject({ judged: true, begun: [], ended: [] });
    expect(update?.cluster.pods[0]?.addresses[0]?.text).toBe('10.244.0.9');
  });
});

describe('a Deployment', () => {
  it('has a ReplicaSet between itself and its pods', async () => {
    const lab = await PlaneFixture.start([deployment('web')]);
    const [set] = lab.objects('ReplicaSet');
    expect(set?.metadata.name).toMatch(/^web-[a-z0-9]{6,10}$/);
    expect(set).toMatchObject({ metadata: { ownerReferences: [{ kind: 'Deployment', name: 'web' }] } });
    const pods = lab.objects('Pod');
    expect(pods).toHaveLength(2);
    for (const one of pods) {
      expect(one.metadata.name).toMatch(new RegExp(`^${String(set?.metadata.name)}-[a-z0-9]{5}$`));
      expect(one).toMatchObject({ metadata: { ownerReferences: [{ kind: 'ReplicaSet', name: set?.metadata.name }] } });
    }
    expect(lab.plane.cluster.pods.filter(({ owner }) => owner.kind === 'Deployment')).toHaveLength(3); // and coredns
    expect(lab.object('Deployment', 'web').status).toMatchObject({
      ...{ observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 },
      conditions: [
        { type: 'Available', status: 'True' },
        { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
      ],
    });
  });

  it('keeps its pods whoever applies it', async () => {
    const lab = await PlaneFixture.start();
    await lab.create(deployment('web'));
    const before = lab.pods();
    await lab.apply(deployment('web'));
    expect(lab.pods()).toEqual(before);
  });

  it('scales: those that stay are those that were there', async () => {
    const lab = await PlaneFixture.start([deployment('web', { replicas: 1 })]);
    const first = lab.pods();
    await lab.apply(deployment('web', { replicas: 3 }));
    expect(lab.pods()).toHaveLength(3);
    expect(lab.pods()).toEqual(expect.arrayContaining(first));
    await lab.apply(deployment('web', { replicas: 1 }));
    expect(lab.pods()).toEqual(first);
  });

  it('replaces a deleted pod by one of another name', async () => {
    const lab = await PlaneFixture.start([deployment('web', { replicas: 1 })]);
    const [first = ''] = lab.pods();
    await lab.delete('Pod', first);
    expect(lab.pods()).toHaveLength(1);
    expect(lab.pods()).not.toEqual([first]);
  });

  it('rolls its pods to another template: none is taken before its successor is ready', async () => {
    const lab = await PlaneFixture.start([deployment('web', { replicas: 3 })]);
    const old = lab.pods();
    const unready = report({ ready: false, containers: { ready: 0, total: 1 } });
    lab.backend.onEnforce = ({ begun }) => {
      for (const one of begun) lab.backend.reports.set(podKey(one), unready);
    };
    await lab.apply(deployment('web', { replicas: 3, image: 'nginx:1.28' }));
    await lab.plane.reportsStored();
    expect(lab.pods()).toEqual(expect.arrayContaining(old));
    expect(lab.pods()).toHaveLength(4);
    expect(lab.object('Deployment', 'web').status).toMatchObject({ updatedReplicas: 1, availableReplicas: 3 });
    const fewest: number[] = [];
    for (let left = 20; left > 0; left -= 1) {
      const waiting = lab.objects('Pod').find((one) => !isReady(one));
      if (!waiting) break;
      await lab.say(waiting.metadata.name, {});
      fewest.push(lab.objects('Pod').filter(isReady).length);
    }
    expect(Math.min(...fewest)).toBeGreaterThanOrEqual(3);
    expect(lab.pods()).toHaveLength(3);
    expect(lab.pods().filter((name) => old.includes(name))).toEqual([]);
    expect(
      lab
        .objects('ReplicaSet')
        .map(({ spec }) => (spec as JsonObject).replicas)
        .sort(),
    ).toEqual([0, 3]);
    expect(lab.object('Deployment', 'web').metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '2',
    });
  });

  it('replaces all pods at once if it is to recreate them', async () => {
    const recreated = deployment('web', { image: 'nginx:1.28' });
    const spec = { ...(recreated.spec as JsonObject), strategy: { type: 'Recreate' } };
    const lab = await PlaneFixture.start([deployment('web')]);
    const old = lab.pods();
    lab.backend.taken();
    await lab.apply({ ...recreated, spec });
    expect(lab.backend.taken()[0]?.ended.toSorted()).toEqual(old.map((name) => `default/${name}`));
  });

  it('takes pods and ReplicaSets with it', async () => {
    const lab = await PlaneFixture.start([deployment('web')]);
    await lab.delete('Deployment', 'web');
    expect([...lab.pods(), ...lab.objects('ReplicaSet')]).toEqual([]);
  });
});

describe('other workloads', () => {
  const template = { metadata: { labels: { app: 'x' } }, spec: { containers: CONTAINERS } };
  const selector = { matchLabels: { app: 'x' } };
  const once = { ...template, spec: { ...template.spec, restartPolicy: 'Never' } };

  it.each([
    ['apps/v1', 'StatefulSet', { replicas: 2, selector, template, serviceName: 'x' }, /^x-[01]$/, 2],
    ['apps/v1', 'DaemonSet', { selector, template }, /^x-[a-z0-9]{5}$/, 1],
    ['apps/v1', 'ReplicaSet', { replicas: 3, selector, template }, /^x-[a-z0-9]{5}$/, 3],
    ['v1', 'ReplicationController', { replicas: 1, template }, /^x-[a-z0-9]{5}$/, 1],
    ['batch/v1', 'Job', { template: once, completions: 2, parallelism: 1 }, /^x-[a-z0-9]{5}$/, 1],
    [
      'batch/v1',
      'CronJob',
      { schedule: '@daily', jobTemplate: { spec: { template: once } } },
      /^x-\d{8}-[a-z0-9]{5}$/,
      1,
    ],
  ])('%s %s has its pods', async (apiVersion, kind, spec, names, count) => {
    const lab = await PlaneFixture.start([{ apiVersion, kind, metadata: { name: 'x' }, spec }]);
    expect(lab.pods()).toHaveLength(count);
    for (const name of lab.pods()) expect(name).toMatch(names);
  });

  it('a Job goes on to its next pod, and completes', async () => {
    const spec = { template: once, completions: 2, parallelism: 1 };
    const lab = await PlaneFixture.start([{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'x' }, spec }]);
    const [first = ''] = lab.pods();
    await lab.say(first, { phase: 'Succeeded', ready: false });
    const second = lab.pods().find((name) => name !== first) ?? '';
    expect(lab.object('Job', 'x').status).toMatchObject({ active: 1, succeeded: 1 });
    await lab.say(second, { phase: 'Succeeded', ready: false });
    expect(lab.pods()).toHaveLength(2);
    expect(lab.object('Job', 'x').status).toMatchObject({
      succeeded: 2,
      conditions: [{ type: 'Complete', status: 'True' }],
    });
  });

  it('a StatefulSet with another template has pods of the same names made anew', async () => {
    const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'x' }, spec: { selector, template } };
    const lab = await PlaneFixture.start([set]);
    const before = lab.object('Pod', 'x-0');
    lab.backend.taken();
    const containers = [{ ...CONTAINERS[0], image: 'nginx:1.28' }];
    await lab.apply({ ...set, spec: { selector, template: { ...template, spec: { containers } } } });
    expect(lab.object('Pod', 'x-0').metadata.uid).not.toBe(before.metadata.uid);
    expect(lab.backend.taken()[0]).toMatchObject({ ended: ['default/x-0'], begun: [{ name: 'x-0' }] });
  });
});

describe('Services', () => {
  it('have addresses, Endpoints and slices, which go with them', async () => {
    const lab = await PlaneFixture.start([pod('web')]);
    const created = await lab.create(service('web'));
    expect(created.spec).toMatchObject({ clusterIP: expect.stringMatching(/^10\.96\./) as string });
    expect(lab.objects('EndpointSlice').map(({ addressType }) => addressType)).toEqual(['IPv4', 'IPv6']);
    expect(lab.object('Endpoints', 'web').subsets).toMatchObject([{ addresses: [{ targetRef: { name: 'web' } }] }]);
    await lab.delete('Service', 'web');
    expect([...lab.objects('Endpoints'), ...lab.objects('EndpointSlice')]).toEqual([]);
  });

  it('without a selector lead nowhere, which is said', async () => {
    const spec = { ports: [{ port: 80 }] };
    const external = { ...service('away'), spec: { type: 'ExternalName', externalName: 'example.com' } };
    const lab = await PlaneFixture.start([service('web'), external, { ...service('before'), spec }]);
    expect(lab.plane.warnings).toEqual([
      expect.stringMatching(/^test\.yaml:5: Service default\/before: without a selector it leads nowhere/),
    ]);
    const { warnings } = await lab.apply({ ...service('db'), spec: { clusterIP: 'None', ...spec } });
    expect(warnings).toEqual([expect.stringMatching(/^test\.yaml:1: Service default\/db: without a selector/)]);
  });

  it('lead elsewhere when a label changes', async () => {
    const lab = await PlaneFixture.start([pod('web'), pod('spare'), service('web')]);
    await lab.plane.label({ kind: 'Pod', namespace: 'default', name: 'web' }, { app: 'gone' });
    expect(lab.object('Endpoints', 'web').subsets).toEqual([]);
    await lab.plane.label({ kind: 'Pod', namespace: 'default', name: 'spare' }, { app: 'web' });
    expect(lab.object('Endpoints', 'web').subsets).toMatchObject([{ addresses: [{ targetRef: { name: 'spare' } }] }]);
  });
});

describe('deletions', () => {
  it('of what is not there make nothing', async () => {
    const lab = await PlaneFixture.start([pod('a')]);
    const target = (name: string): { kind: string; namespace: string; name: string } => ({
      kind: 'Pod',
      namespace: 'default',
      name,
    });
    await expect(lab.plane.delete([target('a'), target('b')])).rejects.toThrow('not found in lab test: Pod default/b');
    expect(lab.pods()).toEqual(['a']);
  });

  it('of a namespace end its pods', async () => {
    const lab = await PlaneFixture.start([{ ...pod('a'), metadata: { name: 'a', namespace: 'shop' } }]);
    lab.backend.taken();
    await lab.plane.delete([{ kind: 'Namespace', namespace: '', name: 'shop' }]);
    expect(lab.backend.taken()[0]?.ended).toEqual(['shop/a']);
    expect(lab.plane.cluster.namespaces.has('shop')).toBe(false);
  });
});

describe('a lab that goes on after its process was killed', () => {
  it('has its objects, uids and addresses, and starts its pods anew', async () => {
    await using folder = await temporaryFolder();
    const first = await PlaneFixture.start([pod('web'), service('web'), deployment('app')], folder);
    await first.apply(policy('deny', 'web'));
    await first.plane.label({ kind: 'Pod', namespace: 'default', name: 'web' }, { tier: 'front' });
    await first.say('web', { phase: 'Running', restarts: 2 });
    const kinds = ['Deployment', 'ReplicaSet', 'Service', 'NetworkPolicy', 'Pod'];
    const facts = (lab: PlaneFixture): unknown =>
      kinds.map((kind) =>
        lab.objects(kind).map(({ metadata: { resourceVersion: _, ...metadata }, spec }) => ({ metadata, spec })),
      );
    const before = facts(first);
    const addresses = first.plane.cluster.pods.map(({ name, addresses: own }) => [name, own]);

    const second = await PlaneFixture.start([pod('not-read')], folder);
    expect(second.plane.resumed).toBe(true);
    expect(facts(second)).toEqual(before);
    const begun = second.backend.updates.flatMap((update) => update.begun);
    expect(begun.map(({ name, addresses: own }) => [name, own])).toEqual(expect.arrayContaining(addresses));
    expect(second.plane.cluster.policies[0]?.source).toEqual({ file: 'test.yaml', line: 1 });
    expect(Number(second.plane.store.objects.resourceVersion)).toBeGreaterThan(
      Number(first.plane.store.objects.resourceVersion),
    );
    await second.apply(pod('next')); // gets an address that no other has
    const texts = second.plane.cluster.pods.map(({ addresses: own }) => own[0]?.text);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('leaves finished pods finished', async () => {
    await using folder = await temporaryFolder();
    const first = await PlaneFixture.start([pod('once')], folder);
    await first.say('once', { phase: 'Succeeded', ready: false });
    const second = await PlaneFixture.start([], folder);
    expect(second.backend.updates.flatMap(({ begun }) => begun.map(({ name }) => name))).not.toContain('once');
    expect(second.object('Pod', 'once')).toMatchObject({ status: { phase: 'Succeeded' } });
  });

  it('began with its manifests if it was killed before they were stored', async () => {
    await using folder = await temporaryFolder();
    await (await ApiStore.open(folder)).close();
    const lab = await PlaneFixture.start([pod('web')], folder);
    expect({ resumed: lab.plane.resumed, pods: lab.pods() }).toEqual({ resumed: false, pods: ['web'] });
  });
});

async function temporaryFolder(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'netpol-lab-plane-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

it('a report of a pod that is gone is none', async () => {
  const lab = await PlaneFixture.start([pod('a')]);
  await lab.delete('Pod', 'a');
  lab.backend.reports.set('default/a', report({ ready: false }));
  lab.plane.podChanged('default/a');
  await lab.plane.reportsStored();
  expect({ pods: lab.pods(), errors: lab.errors }).toEqual({ pods: [], errors: [] });
});
