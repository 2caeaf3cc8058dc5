import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { nameOf, namespaceOf } from '../../src/apiserver/api-object.ts';
import { ApiStore } from '../../src/apiserver/api-store.ts';
import { ApiServer } from '../../src/apiserver/http/api-server.ts';
import { conflict } from '../../src/apiserver/status.ts';
import { servedKind } from '../../src/apiserver/registry.ts';
import { ApiFixture } from './api-fixture.ts';
import { runningPod } from './kubectl-session.ts';

it('serves plain HTTP to whoever is on this machine, where asked', async () => {
  const store = await ApiStore.open();
  await using server = await ApiServer.start({ store });
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const response = await fetch(`${server.url}/version`, { headers: { connection: 'close' } });
  expect(await response.json()).toMatchObject({ major: '1', minor: '32' });
});

it('answers while a watch is open, and closes all the same', async () => {
  const api = await ApiFixture.start();
  const watching = api.request('/api/v1/pods?watch=true');
  watching.end();
  const [response] = (await once(watching, 'response')) as [IncomingMessage];
  expect((await api.ask('/healthz')).text).toBe('ok');
  const broken = expect(text(response)).rejects.toThrow('aborted');
  await api[Symbol.asyncDispose]();
  await broken;
});

it('hands the streams of pods that are there to whom they are for', async () => {
  await using api = await ApiFixture.start({
    streams: {
      answer: ({ podObject, subresource, query }, response) => {
        if (query.get('container') === 'none')
          return Promise.reject(conflict(servedKind('v1', 'Pod'), nameOf(podObject), 'no such container'));
        response.end(`${subresource} of ${namespaceOf(podObject)}/${nameOf(podObject)}`);
        return Promise.resolve();
      },
      upgrade: ({ podObject }, socket) => {
        const name = `Pod: ${nameOf(podObject)}`;
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n${name}\r\n\r\n`);
        return Promise.resolve();
      },
    },
  });
  api.store.system.put(runningPod('default', 'web'));
  const pods = '/api/v1/namespaces/default/pods';
  expect((await api.ask(`${pods}/web/log`)).text).toBe('log of default/web');
  expect((await api.ask(`${pods}/web/log?container=none`)).code).toBe(409);
  expect((await api.ask(`${pods}/nothing/log`)).code).toBe(404);
  const upgrading = api.request(`${pods}/web/exec`, { headers: { connection: 'Upgrade', upgrade: 'x' } });
  upgrading.end();
  const [response] = (await once(upgrading, 'upgrade')) as [IncomingMessage];
  expect(response.headers.pod).toBe('web');
});
