import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CliUser, eventually } from './cli-fixture.ts';

const PODS = `
{ apiVersion: v1, kind: Namespace, metadata: { name: shop } }
---
{ apiVersion: v1, kind: Pod, metadata: { name: web, namespace: shop, labels: { app: web } }, spec: { containers: [{ name: web, image: nginx }] } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: client }
spec:
  selector: { matchLabels: { app: client } }
  template:
    metadata: { labels: { app: client } }
    spec: { containers: [{ name: curl, image: curlimages/curl }] }
`;
const POLICIES = `# what the shop allows
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec:
  podSelector: { matchLabels: { app: web } }
  policyTypes: [Ingress, Egress]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: client }
spec:
  podSelector: { matchLabels: { app: client } }
  egress: []
  policyTypes: [Egress] # and nothing else
`;

let user: CliUser;
let policies: string;

beforeAll(async () => {
  user = await CliUser.create();
  const folder = await user.folder({ 'pods.yaml': PODS, 'policies.yaml': POLICIES });
  policies = join(folder, 'policies.yaml');
  const { exit, stderr } = await user.run(['up', '-f', folder, '--name', 'shop']);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
});
afterAll(() => user[Symbol.asyncDispose]());

interface Answer {
  readonly policies: readonly {
    readonly name: string;
    readonly file: string | null;
    readonly lines: readonly { readonly number: number; readonly remarks: readonly string[] }[];
  }[];
  readonly change: { readonly format: string; readonly text: string; readonly summary: readonly string[] } | null;
  readonly proof?: { readonly proven: boolean; readonly before: object; readonly after: object };
}

async function why(...args: readonly string[]): Promise<Answer> {
  const { stdout, stderr, exit } = await user.run(['why', ...args, '-o', 'json']);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  return JSON.parse(stdout) as Answer;
}

/** @returns the exit code of a curl from the client to the web server. */
async function curl(): Promise<number> {
  const { stdout } = await user.run(['get', 'pods', '-n', 'shop', '-o', 'json']);
  const address = /"podIP": "([\d.]+)"/.exec(stdout)?.[1] ?? '';
  return (await user.run(['exec', 'deploy/client', '--', 'curl', '-sS', '-m', '1', `http://${address}`])).exit;
}

test('where nothing has been denied, and of pods that there are not, that is said', async () => {
  expect(await user.run(['why'])).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining('has been denied') as string,
  });
  const unknown = await user.run(['why', 'clent']);
  expect(unknown).toMatchObject({
    exit: 2,
    stderr: expect.stringContaining('no pod default/clent in lab shop') as string,
  });
});

test('a denied connection is explained to the line, and its change proven in a copy of the lab', async () => {
  expect(await curl()).toBe(28);
  const { policies: told, change, proof } = await why('deploy/client', '--prove');
  const decisive = told.map(({ name, file, lines }) => [name, file, lines.filter(({ remarks }) => remarks.length > 0)]);
  expect(decisive).toMatchObject([
    ['client', policies, [{ number: 14, remarks: ['it has no egress rules and allows nothing'] }]],
    ['web', policies, [{ number: 7, remarks: ['it has no ingress rules and allows nothing'] }]],
  ]);
  expect(change).toMatchObject({
    format: 'diff',
    summary: ['a rule more in egress of default/client', 'a rule more in ingress of shop/web'],
  });
  expect(proof).toMatchObject({
    proven: true,
    before: { outcome: 'timeout', verdict: 'deny' },
    after: { outcome: 'connected', verdict: 'allow' },
  });
  expect(await user.labFolders()).toEqual(['shop']);
  expect(await curl()).toBe(28); // nothing has changed in the lab itself
});

test('the copy goes with Ctrl-C', async () => {
  await curl();
  const running = user.start(['why', '-n', 'shop', 'web', '--prove']);
  await eventually(async () => {
    const copy = (await user.labFolders()).find((name) => name.startsWith('why-'));
    return copy === undefined ? undefined : user.record(copy).catch(() => undefined);
  }, 'a copy starts');
  process.kill(running.pid, 'SIGINT');
  expect((await running.ended).exit).toBe(130);
  expect(await user.labFolders()).toEqual(['shop']);
});

test('policies whose file says something else by now stay as they are: the change is to be applied', async () => {
  await writeFile(policies, (await readFile(policies, 'utf8')).replaceAll('egress: []', 'egress: [{}]'));
  expect(await curl()).toBe(28);
  const { policies: told, change } = await why();
  expect(told.map(({ name, file }) => [name, file])).toEqual([
    ['client', null],
    ['web', policies],
  ]);
  expect(change?.summary).toEqual(['a new policy default/allow-client-to-web', 'a rule more in ingress of shop/web']);
  await rm(policies);
  const { stdout: manifest } = await user.run(['why', '-o', 'patch']);
  expect(await user.run(['apply', '-f', '-'], manifest)).toMatchObject({ exit: 0 });
  expect(await curl()).toBe(0);
  const allowed = await user.run(['why', '-o', 'patch']);
  expect(allowed).toMatchObject({ exit: 1, stdout: '', stderr: 'it is allowed by now\n' });
});
