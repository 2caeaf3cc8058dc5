import { beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/manifest/json.ts';
import type { ApiObject } from '../../src/apiserver/api-object.ts';
import { ApiStore } from '../../src/apiserver/api-store.ts';
import type { WriteTarget } from '../../src/apiserver/object-draft.ts';
import type { ObjectChange } from '../../src/apiserver/object-store.ts';
import { servedKind } from '../../src/apiserver/registry.ts';

let store: ApiStore;

beforeEach(async () => {
  let uids = 0;
  store = await ApiStore.open({ now: () => new Date('2026-01-02T03:04:05Z'), makeUid: () => `uid-${(uids += 1)}` });
});

const OPTIONS = { dryRun: false, fieldValidation: 'Strict', fieldManager: 'test', warn: () => undefined } as const;
const DELETE = { dryRun: false, orphan: false, uid: '', resourceVersion: '' };

function target(kind: string, name = '', subresource: WriteTarget['subresource'] = ''): WriteTarget {
  const apiVersion = kind === 'Deployment' ? 'apps/v1' : kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'v1';
  return {
    resource: servedKind(apiVersion, kind),
    namespace: kind === 'Namespace' ? '' : 'default',
    name,
    subresource,
  };
}

function create(kind: string, object: JsonObject): Promise<ApiObject> {
  return store.users.create(target(kind), object, OPTIONS);
}

function configMap(name: string, more: JsonObject = {}): Promise<ApiObject> {
  return create('ConfigMap', { metadata: { name, ...more } });
}

function deployment(name: string): Promise<ApiObject> {
  const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'nginx' }] } };
  return create('Deployment', { metadata: { name }, spec: { selector: { matchLabels: { app: name } }, template } });
}

function ownedPod(name: string, ...owners: readonly ApiObject[]): void {
  const ownerReferences = owners.map(({ kind, apiVersion, metadata }) => ({
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid ?? '',
  }));
  store.system.put({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name, ownerReferences } });
}

const pods = (): string[] => store.list('v1', 'Pod').map(({ metadata }) => metadata.name);

describe('a new store', () => {
  it('has the namespaces of every cluster, each with its service account', () => {
    expect(store.list('v1', 'Namespace').map(({ metadata }) => metadata.name)).toEqual(['default', 'kube-system']);
    expect(store.list('v1', 'ServiceAccount').map(({ metadata }) => metadata.namespace)).toEqual([
      'default',
      'kube-system',
    ]);
    expect(store.get({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'default' })).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'default' } },
      status: { phase: 'Active' },
    });
  });
});

describe('a created object', () => {
  it('has the metadata and the defaults of the server, whatever the writer says', async () => {
    const lies = { uid: 'x', creationTimestamp: null, generation: 7 };
    const policy = { metadata: { name: 'p', ...lies }, spec: { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] } };
    expect(await create('NetworkPolicy', policy)).toMatchObject({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace: 'default', generation: 1, creationTimestamp: '2026-01-02T03:04:05Z' },
      spec: { policyTypes: ['Ingress', 'Egress'], egress: [{ ports: [{ port: 53, protocol: 'TCP' }] }] },
    });
  });

  it('has no status of the writer', async () => {
    const spec = { containers: [{ name: 'main', image: 'nginx' }] };
    const pod = await create('Pod', { metadata: { name: 'p' }, spec, status: { phase: 'Running' } });
    expect(pod).toMatchObject({ status: { phase: 'Pending' }, spec: { restartPolicy: 'Always' } });
  });

  it('has a name made for it', async () => {
    const first = await configMap('', { generateName: 'made-' });
    const second = await configMap('', { generateName: 'made-' });
    expect(first.metadata.name).toMatch(/^made-[a-z0-9]{5}$/);
    expect(second.metadata.name).not.toBe(first.metadata.name);
  });

  it.each([
    ['is there already', () => configMap('twice').then(() => configMap('twice')), 409],
    ['has a version', () => configMap('x', { resourceVersion: '1' }), 400],
    ['has an unknown field', () => create('ConfigMap', { metadata: { name: 'x' }, dat: {} }), 400],
    ['has a bad name', () => configMap('X'), 422],
  ])('is refused if it %s', async (_, make, code) => {
    await expect(make()).rejects.toMatchObject({ code });
  });
});

describe('an update', () => {
  const update = (
    name: string,
    change: (object: ApiObject) => JsonObject,
    subresource: WriteTarget['subresource'] = '',
  ) => store.users.update(target('Deployment', name, subresource), change, OPTIONS);

  it('counts a generation for the spec alone', async () => {
    await deployment('web');
    const labelled = await update('web', (one) => ({ ...one, metadata: { ...one.metadata, labels: { a: 'b' } } }));
    expect(labelled.metadata.generation).toBe(1);
    const scaled = await update('web', (one) => ({ ...one, spec: { ...(one.spec as JsonObject), replicas: 3 } }));
    expect(scaled.metadata.generation).toBe(2);
    const unchanged = await update('web', (one) => one);
    expect(unchanged).toBe(scaled);
  });

  it('of the object leaves the status alone, and the other way round', async () => {
    await deployment('web');
    const both = (one: ApiObject): JsonObject => ({
      ...one,
      spec: { ...(one.spec as JsonObject), replicas: 3 },
      status: { replicas: 2 },
    });
    const object = await update('web', both);
    expect(object).toMatchObject({ spec: { replicas: 3 } });
    expect(object.status).toBeUndefined();
    expect(await update('web', (one) => ({ ...both(one), spec: {} }), 'status')).toMatchObject({
      spec: { replicas: 3 },
      status: { replicas: 2 },
      metadata: { generation: 2 },
    });
  });
});

describe('a deletion', () => {
  it('takes with it what the object owns, and only that', async () => {
    const [one, other] = [await deployment('one'), await deployment('other')];
    ownedPod('of-one', one);
    ownedPod('of-both', one, other);
    ownedPod('of-other', other);
    await store.users.remove(target('Deployment', 'one'), DELETE);
    expect(pods()).toEqual(['of-both', 'of-other']);
  });

  it('leaves orphans where told', async () => {
    ownedPod('orphan', await deployment('parent'));
    await store.users.remove(target('Deployment', 'parent'), { ...DELETE, orphan: true });
    expect(pods()).toEqual(['orphan']);
  });

  it('of a namespace takes all that is in it', async () => {
    await create('Namespace', { metadata: { name: 'shop' } });
    await store.users.create({ ...target('ConfigMap'), namespace: 'shop' }, { metadata: { name: 'a' } }, OPTIONS);
    await store.users.remove(target('Namespace', 'shop'), DELETE);
    expect(store.list('v1', 'ConfigMap')).toEqual([]);
    expect(store.list('v1', 'ServiceAccount', 'shop')).toEqual([]);
  });

  it('waits for finalizers', async () => {
    await configMap('held', { finalizers: ['example.com/hold'] });
    const held = await store.users.remove(target('ConfigMap', 'held'), DELETE);
    expect(held.metadata.deletionTimestamp).toBe('2026-01-02T03:04:05Z');
    const release = (one: ApiObject): JsonObject => ({ ...one, metadata: { ...one.metadata, finalizers: [] } });
    await store.users.update(target('ConfigMap', 'held'), release, OPTIONS);
    expect(store.list('v1', 'ConfigMap')).toEqual([]);
  });

  it.each([
    ['of what is not there', 'nothing', {}, 404],
    ['of another object of that name', 'there', { uid: 'x' }, 409],
    ['of an older version', 'there', { resourceVersion: '1' }, 409],
  ])('%s is refused', async (_, name, preconditions, code) => {
    await configMap('there');
    const removed = store.users.remove(target('ConfigMap', name), { ...DELETE, ...preconditions });
    await expect(removed).rejects.toMatchObject({ code });
  });

  it('of the first namespaces is refused', async () => {
    await expect(store.users.remove(target('Namespace', 'default'), DELETE)).rejects.toMatchObject({ code: 403 });
  });
});

const NOWHERE = { file: '', line: 0, kind: '', namespace: '', name: '' };

describe('the commit hook', () => {
  it('is told of every write of a user before it can be seen, and of none of the system', async () => {
    const told: string[] = [];
    store.onCommit = (set) => {
      told.push(...set.changes.map(described));
      expect(store.list('v1', 'ConfigMap').length).toBe(told.length === 1 ? 0 : 1);
      return Promise.resolve({ kind: 'accepted' });
    };
    await configMap('a');
    ownedPod('p');
    await store.users.remove(target('ConfigMap', 'a'), DELETE);
    expect(told).toEqual(['- > a', 'a > -']);
  });

  it('is not asked where nothing is to be stored', async () => {
    store.onCommit = () => Promise.reject(new Error('asked'));
    const dry = { ...OPTIONS, dryRun: true };
    await store.users.create(target('ConfigMap'), { metadata: { name: 'a' } }, dry);
    expect(store.list('v1', 'ConfigMap')).toEqual([]);
  });

  it('refuses with issues', async () => {
    const issues = [
      { ...NOWHERE, field: 'spec', type: 'FieldValueInvalid', message: 'Invalid value: 1: no address is left' },
    ];
    store.onCommit = () => Promise.resolve({ kind: 'refused', issues });
    const message = 'ConfigMap "a" is invalid: spec: Invalid value: 1: no address is left';
    await expect(configMap('a')).rejects.toMatchObject({ code: 422, reason: 'Invalid', message });
    expect(store.list('v1', 'ConfigMap')).toEqual([]);
  });

  it('amends what is stored', async () => {
    const address = { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] };
    store.onCommit = (set) => {
      for (const { resource, after } of set.changes) {
        if (after) set.put(resource, { ...after, spec: { ...(after.spec as JsonObject), ...address } });
      }
      return Promise.resolve({ kind: 'accepted' });
    };
    const service = await create('Service', { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } });
    expect(service).toMatchObject({ spec: { clusterIP: '10.96.0.1', ports: [{ targetPort: 80, protocol: 'TCP' }] } });
    const replaced = { metadata: { name: 's' }, spec: { ports: [{ port: 81 }] } };
    store.onCommit = () => Promise.resolve({ kind: 'accepted' });
    const after = await store.users.update(target('Service', 's'), () => replaced, OPTIONS);
    expect(after).toMatchObject({ spec: { clusterIP: '10.96.0.1', ports: [{ port: 81 }] } });
    const moved = { ...replaced, spec: { ...replaced.spec, ...address, clusterIP: '10.96.0.2' } };
    await expect(store.users.update(target('Service', 's'), () => moved, OPTIONS)).rejects.toThrow(
      'is invalid: spec.clusterIPs[0]: Invalid value: []string{"10.96.0.2"}: may not change once set',
    );
  });

  function described({ before, after }: ObjectChange): string {
    return `${before?.metadata.name ?? '-'} > ${after?.metadata.name ?? '-'}`;
  }
});

describe('the system', () => {
  it('changes nothing by saying the same again', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default' },
      data: { a: 'b' },
    };
    const first = store.system.put(object);
    expect(store.system.put(object)).toBe(first);
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'a' };
    expect(store.system.patchStatus({ ...reference, name: 'b' }, {})).toBeUndefined();
    expect([store.system.remove(reference), store.system.remove(reference)]).toEqual([true, false]);
  });
});
