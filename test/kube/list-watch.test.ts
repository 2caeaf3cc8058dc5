import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ApiStore } from '../../src/apiserver/api-store.ts';
import { ApiServer } from '../../src/apiserver/http/api-server.ts';
import { makeCertificate } from '../../src/apiserver/http/certificate.ts';
import type { ApiLocation } from '../../src/kube/api-location.ts';
import { ListWatch, type KubeObject } from '../../src/kube/list-watch.ts';

const PODS = { path: '/api/v1/pods', apiVersion: 'v1', kind: 'Pod' };
const folder = mkdtempSync(join(tmpdir(), 'netpol-lab-kube-'));
let sockets = 0;

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function socketPath(): string {
  return join(folder, `${(sockets += 1)}.sock`);
}

/** What a list-watch has told, in words: `put a`, `replace a b`, `trouble`. */
class Heard implements Disposable {
  readonly words: string[] = [];
  readonly versions: string[] = [];
  readonly troubles: Error[] = [];
  readonly #watch: ListWatch;
  #notice = (): void => undefined;

  constructor(location: ApiLocation) {
    const names = (objects: readonly KubeObject[]): string => objects.map(({ metadata }) => metadata.name).join(' ');
    this.#watch = ListWatch.start(location, PODS, {
      replace: (objects, version) => {
        this.versions.push(version);
        this.#say(`replace ${names(objects)}`);
      },
      put: (object) => this.#say(`put ${names([object])}`),
      remove: (object) => this.#say(`remove ${names([object])}`),
      reached: (version) => void this.versions.push(version),
      trouble: (error) => {
        this.troubles.push(error);
        this.#say('trouble');
      },
    });
  }

  /** Waits until the last words are these; trouble is passed over. */
  async until(...last: readonly string[]): Promise<void> {
    for (;;) {
      const words = this.words.filter((word) => word !== 'trouble');
      if (JSON.stringify(words.slice(-last.length)) === JSON.stringify(last)) return;
      await this.next();
    }
  }

  next(): Promise<void> {
    return new Promise((resolve) => (this.#notice = resolve));
  }

  #say(word: string): void {
    this.words.push(word);
    this.#notice();
  }

  [Symbol.dispose](): void {
    this.#watch.stop();
  }
}

function putPod(store: ApiStore, name: string, labels: Readonly<Record<string, string>> = {}): void {
  store.system.put({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name, labels }, spec: {} });
}

function removePod(store: ApiStore, name: string): void {
  store.system.remove({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name });
}

test('lists, then follows every change, over a Unix socket', async () => {
  const store = await ApiStore.open();
  putPod(store, 'a');
  const path = socketPath();
  await using _server = await ApiServer.start({ store, path });
  using heard = new Heard({ kind: 'socket', path });
  await heard.until('replace a');
  putPod(store, 'b');
  putPod(store, 'a', { app: 'a' });
  removePod(store, 'b');
  await heard.until('put b', 'put a', 'remove b');
  expect(heard.versions.at(-1)).toBe(store.objects.resourceVersion);
});

test('follows over TLS with a token, and says what is wrong without one', async () => {
  const store = await ApiStore.open();
  const certificate = makeCertificate(new Date());
  await using server = await ApiServer.start({ store, certificate, token: 'secret' });
  const place = { kind: 'url', url: server.url, caPem: certificate.caPem } as const;
  using refused = new Heard(place);
  await refused.next();
  expect(refused.troubles[0]?.message).toContain('401');
  using heard = new Heard({ ...place, token: 'secret' });
  await heard.until('replace ');
  putPod(store, 'a');
  await heard.until('put a');
});

test('a list of several pages is one list', async () => {
  const store = await ApiStore.open();
  const names = Array.from({ length: 1001 }, (_, index) => `p${String(index).padStart(4, '0')}`);
  for (const name of names) putPod(store, name);
  const path = socketPath();
  await using _server = await ApiServer.start({ store, path });
  using heard = new Heard({ kind: 'socket', path });
  await heard.until(`replace ${names.join(' ')}`);
});

test('a server that goes away and comes back is followed on', async () => {
  const store = await ApiStore.open();
  putPod(store, 'a');
  const path = socketPath();
  const first = await ApiServer.start({ store, path });
  using heard = new Heard({ kind: 'socket', path });
  await heard.until('replace a');
  await first.close();
  putPod(store, 'b');
  await using _second = await ApiServer.start({ store, path });
  await heard.until('replace a', 'put b');
  expect(heard.troubles.length).toBeGreaterThan(0);
});

test('a server that has forgotten the version is listed anew', async () => {
  const path = socketPath();
  const stores = [await ApiStore.open(), await ApiStore.open()];
  const [old, fresh] = stores as [ApiStore, ApiStore];
  for (const name of ['a', 'b', 'c']) putPod(old, name);
  const first = await ApiServer.start({ store: old, path });
  using heard = new Heard({ kind: 'socket', path });
  await heard.until('replace a b c');
  await first.close();
  putPod(fresh, 'd'); // its versions are lower: those of the old store are of its future
  await using _second = await ApiServer.start({ store: fresh, path });
  await heard.until('replace a b c', 'replace d');
});

/** A server whose lists are one pod `a`, and whose watches answer what `watch` writes. */
async function scripted(
  watch: (response: ServerResponse, count: number) => void,
): Promise<AsyncDisposable & { path: string }> {
  let count = 0;
  const server = createServer((request, response) => {
    if (request.url?.includes('watch=true') === true) {
      watch(response.writeHead(200), (count += 1));
      return;
    }
    const items = [{ metadata: { name: 'a', resourceVersion: '5' } }];
    response.end(JSON.stringify({ metadata: { resourceVersion: '7' }, items }));
  });
  const path = socketPath();
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const put = (name: string, resourceVersion: string): string =>
  `${JSON.stringify({ type: 'ADDED', object: { metadata: { name, resourceVersion } } })}\n`;

test.each([
  ['text that is no JSON', '{"type":"ADDED",\n'],
  ['an event that is none', '[]\n'],
  ['an unknown type', `${JSON.stringify({ type: 'LATER', object: { metadata: { resourceVersion: '8' } } })}\n`],
  [
    'an object without a name',
    `${JSON.stringify({ type: 'ADDED', object: { metadata: { resourceVersion: '8' } } })}\n`,
  ],
  ['a version that is none', `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'x' } } })}\n`],
  ['a line without end', 'x'.repeat(17 * 1024 * 1024)],
])('%s: told as trouble, and all is listed anew', async (_, text) => {
  await using server = await scripted((response, count) => {
    if (count === 1) response.write(text);
    else response.write(put('b', '9'));
  });
  using heard = new Heard({ kind: 'socket', path: server.path });
  await heard.until('replace a', 'replace a', 'put b');
  expect(heard.troubles).toHaveLength(1);
});

test('an event in pieces is one event, and one that is cut off is none', async () => {
  const [line, cut] = [put('\u00e4', '8'), put('c', '9')];
  await using server = await scripted((response, count) => {
    if (count > 1) return;
    const bytes = Buffer.from(line + cut.slice(0, -5));
    for (const byte of bytes) response.write(Buffer.from([byte]));
    response.end();
  });
  using heard = new Heard({ kind: 'socket', path: server.path });
  await heard.until('replace a', 'put \u00e4');
  expect(heard.versions).toEqual(['7', '8']);
});

test('bookmarks move the version on', async () => {
  const asked: string[] = [];
  const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '42' } } };
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (asked.length === 1) response.end(JSON.stringify({ metadata: { resourceVersion: '7' }, items: [] }));
    else if (asked.length === 2) response.writeHead(200).end(`${JSON.stringify(bookmark)}\n`);
    else response.writeHead(200).write(put('b', '43'));
  });
  const path = socketPath();
  server.listen(path);
  await once(server, 'listening');
  using heard = new Heard({ kind: 'socket', path });
  await heard.until('put b');
  expect(asked.slice(1).map((url) => new URLSearchParams(url.split('?')[1]).get('resourceVersion'))).toEqual([
    '7',
    '42',
  ]);
  server.closeAllConnections();
  server.close();
});
