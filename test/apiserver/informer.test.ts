import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  CoreV1Api,
  KubeConfig,
  makeInformer,
  NetworkingV1Api,
  V1NetworkPolicy,
  type V1ConfigMap,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
let config: KubeConfig;
let wire: Server;
/** Connections of clients, and those that they are passed on to. */
const sockets = new Set<Socket>();

beforeAll(async () => {
  api = await ApiFixture.start();
  config = new KubeConfig();
  config.loadFromFile(join(api.folder, 'config'));
  const { port } = new URL(api.server.url);
  wire = createServer((client) => {
    const server = connect(Number(port), '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    client.pipe(server).pipe(client);
  });
  wire.listen(0, '127.0.0.1');
  await once(wire, 'listening');
  const [cluster] = config.clusters;
  const place = `https://127.0.0.1:${(wire.address() as AddressInfo).port}`;
  if (cluster) config.clusters = [{ ...cluster, server: place }];
});

afterAll(async () => {
  cut();
  wire.close();
  await api[Symbol.asyncDispose]();
});

/** Cuts all connections between clients and the server. */
function cut(): void {
  for (const socket of sockets) socket.destroy();
}

function put(name: string, value: string): void {
  const metadata = { namespace: 'default', name };
  api.store.system.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } });
}

function remove(name: string): void {
  api.store.system.remove({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name });
}

/** An informer on the ConfigMaps of the namespace default, and what it has told and asked. */
function informer(): { started: ReturnType<typeof makeInformer<V1ConfigMap>>; told: string[]; lists: () => number } {
  const client = config.makeApiClient(CoreV1Api);
  let lists = 0;
  const started = makeInformer<V1ConfigMap>(config, '/api/v1/namespaces/default/configmaps', () => {
    lists += 1;
    return client.listNamespacedConfigMap({ namespace: 'default' });
  });
  const told: string[] = [];
  for (const verb of ['add', 'update', 'delete'] as const) {
    started.on(verb, ({ metadata, data }) => {
      told.push(`${verb} ${metadata?.name ?? ''}=${data?.value ?? ''}`);
    });
  }
  started.on('error', () => void started.start()); // as its documentation shows
  return { started, told, lists: () => lists };
}

describe('an informer of @kubernetes/client-node', () => {
  it('lists, then follows', async () => {
    put('first', '1');
    const { started, told } = informer();
    await started.start();
    expect(told).toEqual(['add first=1']);
    put('first', '2');
    put('second', '1');
    remove('first');
    const expected = ['add first=1', 'update first=2', 'add second=1', 'delete first=2'];
    await vi.waitFor(() => expect(told).toEqual(expected));
    await started.stop();
    remove('second');
  });

  it('goes on after its connection was cut, and misses nothing', async () => {
    const { started, told } = informer();
    await started.start();
    put('before', '1');
    await vi.waitFor(() => expect(told).toEqual(['add before=1']));
    cut();
    put('during', '1');
    await vi.waitFor(() => expect(told).toContain('add during=1'), { timeout: 10_000 });
    put('after', '1');
    await vi.waitFor(() => expect(told).toContain('add after=1'), { timeout: 10_000 });
    await started.stop();
    for (const name of ['before', 'during', 'after']) remove(name);
  });

  it('lists again where its version is too old', async () => {
    const { started, told, lists } = informer();
    await started.start();
    put('kept', '1');
    await vi.waitFor(() => expect(told).toEqual(['add kept=1']));
    await started.stop();
    for (let count = 0; count < 10_000; count += 1) put('kept', String(count)); // more than a watch can catch up with
    const before = lists();
    await started.start();
    await vi.waitFor(() => expect(told.at(-1)).toBe('update kept=9999'));
    expect(lists()).toBeGreaterThan(before);
    await started.stop();
  });
});

it('its typed client creates, reads and deletes a policy', async () => {
  const client = config.makeApiClient(NetworkingV1Api);
  const body = Object.assign(new V1NetworkPolicy(), {
    metadata: { name: 'deny' },
    spec: { podSelector: {}, policyTypes: ['Ingress'] },
  });
  await client.createNamespacedNetworkPolicy({ namespace: 'default', body });
  const { items } = await client.listNetworkPolicyForAllNamespaces();
  expect(items.map(({ metadata }) => metadata?.name)).toEqual(['deny']);
  await client.deleteNamespacedNetworkPolicy({ namespace: 'default', name: 'deny' });
  expect((await client.listNetworkPolicyForAllNamespaces()).items).toEqual([]);
});
