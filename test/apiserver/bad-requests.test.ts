import { once } from 'node:events';
import { connect } from 'node:tls';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiFixture, readAnswer, TOKEN, type Answer, type Sent } from './api-fixture.ts';

let api: ApiFixture;

beforeAll(async () => {
  api = await ApiFixture.start({ requestTimeoutMs: 500 });
});

afterAll(() => api[Symbol.asyncDispose]());

const POLICIES = '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies';

/** The answer's Status; fails unless it is one of this code and reason. */
function expectStatus(answer: Answer, code: number, reason: string): string {
  expect(answer.code, answer.text).toBe(code);
  const status = JSON.parse(answer.text) as Record<string, unknown>;
  expect(status).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code });
  return String(status.message);
}

function json(body: unknown): Sent {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

describe('who may ask', () => {
  it.each<[string, Record<string, string>, number, string]>([
    ['no token', { authorization: '' }, 401, 'Unauthorized'],
    ['another token', { authorization: 'Bearer x' }, 401, 'Unauthorized'],
    ['the token as a password', { authorization: `Basic ${TOKEN}` }, 401, 'Unauthorized'],
    ['a web page', { origin: 'https://example.com' }, 403, 'Forbidden'],
    ['a web page of this machine', { origin: 'null' }, 403, 'Forbidden'],
    ['a browser', { 'sec-fetch-site': 'cross-site' }, 403, 'Forbidden'],
    ['a name that was made to point here', { host: 'evil.example:80' }, 403, 'Forbidden'],
  ])('%s', async (_, headers, code, reason) => {
    expectStatus(await api.ask('/api/v1/pods', { headers }), code, reason);
  });

  it.each(['localhost', '127.0.0.1:1', 'LOCALHOST:443'])('serves under the name %s', async (host) => {
    expect((await api.ask('/api/v1/pods', { headers: { host } })).code).toBe(200);
  });
});

describe('paths', () => {
  it.each([
    ['/api/v1/../v1/pods', 400],
    ['/api/v1/namespaces/../pods', 400],
    ['/api/v1/%2e%2e/pods', 400],
    ['/api/v1/namespaces/a%2fb/pods', 400],
    ['/api/v1/namespaces/a%5Cb/pods', 400],
    ['/api//v1/pods', 400],
    ['//api/v1/pods', 400],
    ['/api/v1/pods%00', 400],
    ['/api/v1/namespaces/%ff/pods', 400],
    ['/api/v1/namespaces/%zz/pods', 400],
    ['http://127.0.0.1/api/v1/pods', 400],
    ['*', 400],
    ['/nothing', 404],
    ['/api/v2/pods', 404],
    ['/api/v1/secrets', 404],
    ['/api/v1/__proto__', 404],
    ['/api/v1/constructor/toString', 404],
    ['/apis/apps/v1/namespaces/default/deployments/x/scale/more', 404],
    ['/apis/apps/v1/deployments/x', 404],
    ['/apis/unknown/v1', 404],
    ['/openapi/v3/api/v9', 404],
    ['/openapi/v4', 404],
    ['/version/x', 404],
  ])('%s', async (path, code) => {
    expectStatus(await api.ask(path), code, code === 404 ? 'NotFound' : 'BadRequest');
  });

  it.each([
    ['PUT', POLICIES],
    ['POST', `${POLICIES}/x`],
    ['POST', '/apis/networking.k8s.io/v1/networkpolicies'],
    ['DELETE', '/apis/networking.k8s.io/v1/networkpolicies'],
    ['OPTIONS', POLICIES],
    ['DELETE', '/version'],
    ['GET', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'],
  ])('%s %s is not allowed', async (method, path) => {
    expectStatus(await api.ask(path, { method }), 405, 'MethodNotAllowed');
  });
});

describe('queries', () => {
  it.each([
    ['labelSelector=a=b=c', 'unable to parse requirement'],
    ['labelSelector=a in b', 'unable to parse requirement'],
    ['labelSelector=(', 'unable to parse requirement'],
    ['labelSelector=%2F', 'unable to parse requirement'],
    ['labelSelector=a in (b', 'unable to parse requirement'],
    ['labelSelector=a=!', 'unable to parse requirement'],
    ['labelSelector=a,', 'unable to parse requirement'],
    ['fieldSelector=spec.hostname=x', 'field label not supported: spec.hostname'],
    ['fieldSelector=x', 'invalid selector'],
    ['limit=x', 'invalid limit'],
    ['limit=-1', 'invalid limit'],
    ['continue=x', 'continue key is not valid'],
    ['watch=true&resourceVersion=x', 'invalid resource version'],
  ])('%s', async (query, message) => {
    expect(expectStatus(await api.ask(`${POLICIES}?${encodeURI(query)}`), 400, 'BadRequest')).toContain(message);
  });

  it('takes a long label selector', async () => {
    const values = Array.from({ length: 4000 }, (_, index) => `value${index}`).join(',');
    expect((await api.ask(`${POLICIES}?labelSelector=${encodeURIComponent(`a in (${values})`)}`)).code).toBe(200);
  });

  it('refuses one that is longer than headers may be', async () => {
    const answer = await api.ask(`${POLICIES}?labelSelector=${'a,'.repeat(100_000)}a`);
    expectStatus(answer, 431, 'RequestHeaderFieldsTooLarge');
  });
});

describe('bodies', () => {
  const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'x' }, spec: {} };

  it.each<[string, string, number]>([
    ['nothing', '', 400],
    ['half a JSON object', '{"kind":', 400],
    ['a list', '[]', 400],
    ['null', 'null', 400],
    ['a text', '"x"', 400],
    ['bytes', '\u0000\u0001', 400],
    ['nesting', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400],
    ['deep objects', `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`, 400],
    ['a key that touches prototypes', '{"__proto__":{"x":1}}', 400],
    ['a deep key that touches prototypes', JSON.stringify(policy).replace('"spec":{}', '"spec":{"__proto__":{}}'), 400],
    ['another kind', JSON.stringify({ ...policy, kind: 'Pod' }), 400],
    ['another version', JSON.stringify({ ...policy, apiVersion: 'v1' }), 400],
    ['another namespace', JSON.stringify({ ...policy, metadata: { name: 'x', namespace: 'y' } }), 400],
    ['metadata that is no object', JSON.stringify({ ...policy, metadata: 'x' }), 400],
    ['labels that are no texts', JSON.stringify({ ...policy, metadata: { name: 'x', labels: { a: 1 } } }), 400],
  ])('%s', async (_, body, code) => {
    const answer = await api.ask(POLICIES, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expectStatus(answer, code, 'BadRequest');
  });

  it('names what is invalid', async () => {
    const answer = await api.ask(POLICIES, json({ ...policy, metadata: { name: 'A' } }));
    expect(expectStatus(answer, 422, 'Invalid')).toContain(
      'NetworkPolicy.networking.k8s.io "A" is invalid: metadata.name:',
    );
    const unnamed = await api.ask(POLICIES, json({ ...policy, metadata: {} }));
    expect(expectStatus(unnamed, 422, 'Invalid')).toContain('name or generateName is required');
  });

  it.each(['application/cbor', 'text/html', 'multipart/form-data'])('of type %s are not read', async (type) => {
    const answer = await api.ask(POLICIES, { method: 'POST', body: 'x', headers: { 'content-type': type } });
    expectStatus(answer, 415, 'UnsupportedMediaType');
  });

  it.each([
    ['no envelope', Buffer.from('x')],
    ['cut off', Buffer.from('k8s\0\x0a\xff', 'latin1')],
    ['a bad wire type', Buffer.from('k8s\0\x0f', 'latin1')],
  ])('protobuf: %s', async (_, body) => {
    const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' };
    expectStatus(await api.ask('/api/v1/namespaces', { method: 'POST', body, headers }), 400, 'BadRequest');
  });

  it('of 100 MB are refused, announced or not', async () => {
    const headers = { 'content-type': 'application/json', 'content-length': String(100 << 20) };
    const announced = api.request(POLICIES, { method: 'POST', headers });
    announced.on('error', () => undefined); // the server hangs up
    announced.flushHeaders();
    expectStatus(await readAnswer(announced), 413, 'RequestEntityTooLarge');
    announced.destroy();

    const streamed = api.request(POLICIES, { method: 'POST', headers: { 'content-type': 'application/json' } });
    streamed.on('error', () => undefined);
    const answer = readAnswer(streamed);
    const megabyte = Buffer.alloc(1 << 20, 'x');
    for (let sent = 0; sent < 100 && !streamed.destroyed; sent += 1) {
      if (!streamed.write(megabyte)) await Promise.race([once(streamed, 'drain'), once(streamed, 'close')]);
    }
    expectStatus(await answer, 413, 'RequestEntityTooLarge');
    streamed.destroy();
  });

  it('that come too slowly are given up', async () => {
    const slow = api.request(POLICIES, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '9' },
    });
    slow.on('error', () => undefined);
    slow.write('{');
    expectStatus(await readAnswer(slow), 408, 'Timeout');
    slow.destroy();
  });
});

it.each([
  ['no HTTP', 'nonsense\r\n\r\n', 'HTTP/1.1 400'],
  ['an upgrade where nothing is to be upgraded', upgrade('/api/v1/pods'), 'HTTP/1.1 400'],
  ['an upgrade of nothing', upgrade('/nothing'), 'HTTP/1.1 404'],
  ['an upgrade without the token', upgrade('/api/v1/pods').replace(TOKEN, 'x'), 'HTTP/1.1 401'],
])('answers %s', async (_, sent, first) => {
  const socket = connect({ port: Number(new URL(api.server.url).port), host: '127.0.0.1', ca: api.caPem });
  await once(socket, 'secureConnect');
  socket.write(sent);
  const answer = await text(socket);
  expect(answer.startsWith(first), answer).toBe(true);
  expect(answer).toContain('"kind":"Status"');
});

function upgrade(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
}

it('still serves after all this', async () => {
  expect((await api.ask('/readyz')).text).toBe('ok');
  expect((await api.ask(POLICIES)).code).toBe(200);
});
