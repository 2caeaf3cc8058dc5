import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { versionOf } from '../../src/apiserver/api-object.ts';
import { ApiFixture, type Sent } from './api-fixture.ts';

let api: ApiFixture;

beforeAll(async () => {
  api = await ApiFixture.start();
});

afterAll(() => api[Symbol.asyncDispose]());

const MAPS = '/api/v1/namespaces/default/configmaps';

interface WatchLine {
  readonly type: string;
  readonly object: {
    readonly metadata: { readonly name?: string; readonly resourceVersion: string; readonly annotations?: object };
    readonly [field: string]: unknown;
  };
}

/** A watch that has begun: its events one by one, until the server ends it. */
async function watch(
  query: string,
  sent: Sent = {},
): Promise<{ next(): Promise<WatchLine | undefined>; stop(): void }> {
  const asked = api.request(`${MAPS}?watch=true&${query}`, sent);
  asked.on('error', () => undefined); // stopped
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  const lines = createInterface(response)[Symbol.asyncIterator]();
  return {
    next: async () => {
      const line = await lines.next();
      return line.done === true ? undefined : (JSON.parse(line.value) as WatchLine);
    },
    stop: () => asked.destroy(),
  };
}

/** The next event as `TYPE name`. */
async function nextOf(watching: Awaited<ReturnType<typeof watch>>): Promise<string> {
  const event = await watching.next();
  return event ? `${event.type} ${event.object.metadata.name ?? ''}`.trim() : 'end';
}

function put(name: string, labels: Record<string, string> = {}, data: Record<string, string> = {}): string {
  const metadata = { namespace: 'default', name, labels };
  return versionOf(api.store.system.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }));
}

function remove(name: string): void {
  api.store.system.remove({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name });
}

describe('a watch', () => {
  it('begins with what is there, without a version', async () => {
    put('there');
    const watching = await watch('fieldSelector=metadata.name=there');
    expect(await nextOf(watching)).toBe('ADDED there');
    put('there', {}, { a: 'b' });
    expect(await nextOf(watching)).toBe('MODIFIED there');
    remove('there');
    expect(await nextOf(watching)).toBe('DELETED there');
    watching.stop();
  });

  it('tells what has happened since a version, then what happens', async () => {
    const version = put('before');
    put('since');
    remove('before');
    const watching = await watch(`resourceVersion=${version}`);
    expect(await nextOf(watching)).toBe('ADDED since');
    const deleted = await watching.next();
    expect(deleted).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'before' } } });
    expect(Number(deleted?.object.metadata.resourceVersion)).toBeGreaterThan(Number(version));
    put('after');
    expect(await nextOf(watching)).toBe('ADDED after');
    watching.stop();
  });

  it('shows only what its selector matches, as it begins and ceases to', async () => {
    put('turning', { on: 'no' });
    const watching = await watch(`labelSelector=on=yes&resourceVersion=${api.store.objects.resourceVersion}`);
    put('turning', { on: 'no' }, { a: '1' });
    put('turning', { on: 'yes' });
    expect(await nextOf(watching)).toBe('ADDED turning');
    put('turning', { on: 'yes' }, { a: '2' });
    expect(await nextOf(watching)).toBe('MODIFIED turning');
    put('turning', { on: 'no' });
    expect(await nextOf(watching)).toBe('DELETED turning');
    remove('turning');
    put('turning', { on: 'yes' });
    expect(await nextOf(watching)).toBe('ADDED turning');
    watching.stop();
  });

  it('is refused for a version that is too old, or of the future', async () => {
    const start = Number(api.store.objects.resourceVersion);
    for (let index = 0; index < 8200; index += 1) put('busy', {}, { index: String(index) });
    for (const version of [start, Number(api.store.objects.resourceVersion) + 1]) {
      const watching = await watch(`resourceVersion=${version}`);
      const error = { kind: 'Status', code: 410, reason: 'Expired' };
      expect(await watching.next()).toMatchObject({ type: 'ERROR', object: error });
      expect(await watching.next()).toBeUndefined();
    }
  });

  it('marks the end of what was there', async () => {
    const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const watching = await watch(`${query}&fieldSelector=metadata.name=since`);
    expect(await nextOf(watching)).toBe('ADDED since');
    expect(await watching.next()).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
    watching.stop();
  });

  it('ends when its time is over, with a bookmark', async () => {
    const version = api.store.objects.resourceVersion;
    const watching = await watch(`resourceVersion=${version}&timeoutSeconds=1&allowWatchBookmarks=true`);
    expect(await watching.next()).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { resourceVersion: version } },
    });
    expect(await watching.next()).toBeUndefined();
  });

  it('sends tables, their columns once', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const watching = await watch(`resourceVersion=${api.store.objects.resourceVersion}`, { headers: { accept } });
    put('row-one');
    put('row-two');
    const [first, second] = [await watching.next(), await watching.next()];
    expect(first?.object).toMatchObject({ kind: 'Table', rows: [{ cells: ['row-one', 0, '0s'] }] });
    expect(first?.object.columnDefinitions).toHaveLength(3);
    expect(second?.object.columnDefinitions).toHaveLength(0);
    watching.stop();
  });

  it('is sent to two hundred at once, each event to each', async () => {
    const version = api.store.objects.resourceVersion;
    const watches = await Promise.all(Array.from({ length: 200 }, () => watch(`resourceVersion=${version}`)));
    for (let index = 0; index < 10; index += 1) put(`many-${index}`);
    const seen = await Promise.all(
      watches.map(async (watching) => {
        const names: string[] = [];
        while (names.length < 10) names.push(await nextOf(watching));
        watching.stop();
        return names.join();
      }),
    );
    expect(new Set(seen)).toEqual(new Set([Array.from({ length: 10 }, (_, index) => `ADDED many-${index}`).join()]));
  });
});

describe('a list in pages', () => {
  const pageOf = async (query: string) => {
    const { code, text } = await api.ask(`/api/v1/namespaces/kube-system/configmaps?${query}`);
    const list = JSON.parse(text) as {
      metadata: { continue?: string; resourceVersion: string; remainingItemCount?: number };
      items: { metadata: { name: string } }[];
      reason?: string;
    };
    return { code, ...list };
  };

  beforeAll(() => {
    for (const name of ['e', 'a', 'd', 'b', 'c']) {
      api.store.system.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'kube-system', name } });
    }
  });

  it('has each object once, in order, with the version of the first page', async () => {
    const names: string[] = [];
    const versions = new Set<string>();
    for (let token = '', pages = 0; pages === 0 || token !== ''; pages += 1) {
      const page = await pageOf(`limit=2&continue=${token}`);
      put(`between-${pages}`);
      names.push(...page.items.map(({ metadata }) => metadata.name));
      versions.add(page.metadata.resourceVersion);
      token = page.metadata.continue ?? '';
    }
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(versions.size).toBe(1);
  });

  it('cannot be continued after too many changes', async () => {
    const { metadata } = await pageOf('limit=2');
    expect(metadata.remainingItemCount).toBe(3);
    for (let index = 0; index < 8200; index += 1) put('busy', {}, { again: String(index) });
    expect(await pageOf(`limit=2&continue=${metadata.continue ?? ''}`)).toMatchObject({ code: 410, reason: 'Expired' });
  });
});
