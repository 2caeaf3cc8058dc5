import { afterAll, beforeAll, expect, test } from 'vitest';
import { CliUser } from './cli-fixture.ts';

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: c, image: nginx, ports: [{ containerPort: 80 }] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: friend, labels: { app: friend } }
spec: { containers: [{ name: c, image: busybox }] }
---
apiVersion: v1
kind: Pod
metadata: { name: stranger, labels: { app: stranger } }
spec: { containers: [{ name: c, image: busybox }] }
`;

const FRIENDS = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: friends }
spec:
  podSelector: { matchLabels: { app: web } }
  ingress: [{ from: [{ podSelector: { matchLabels: { app: friend } } }] }]
`;

const WRONG = `
- { from: default/stranger, to: default/deploy/web, port: 80, verdict: allow }
- { from: default/friend, to: default/deploy/web, port: 81, verdict: deny }
- { from: default/stranger, to: default/deploy/web, port: 81, verdict: deny }
- { from: default/stranger, to: 192.0.2.8, port: 443, verdict: allow }
`;

let user: CliUser;
let folder = '';

beforeAll(async () => {
  user = await CliUser.create();
  folder = await user.folder({ 'app.yaml': DEPLOYMENT, 'friends.yaml': FRIENDS });
});
afterAll(() => user[Symbol.asyncDispose]());

test('what generate-expectations writes holds for real, and leaves no lab behind', async () => {
  const { stdout } = await user.run(['generate-expectations', '-f', folder]);
  expect(stdout).toContain('- { from: default/stranger, to: default/deployment/web, port: 80/TCP, verdict: deny }');
  expect(stdout).toContain('- { from: default/friend, to: default/deployment/web, port: 80/TCP, verdict: allow }');
  const real = await user.run(['test', '-f', folder, '--expect', '-', '--real'], stdout);
  expect(real, real.stdout + real.stderr).toMatchObject({ exit: 0 });
  expect(await user.labFolders()).toEqual([]);
});

test('each expectation that does not hold fails for real, also a denial where nobody listens', async () => {
  const { exit, stdout } = await user.run(['test', '-f', folder, '--expect', '-', '--real', '-o', 'json'], WRONG);
  const { expectations } = JSON.parse(stdout) as { expectations: { failures: string[] }[] };
  const failures = expectations.map((each) => each.failures.map((text) => text.replace(/^.*\/web-\S+ /, '')));
  const denied = expect.stringMatching(/^met timeout: ingress denied: isolated by default\/friends/) as string;
  const refused = expect.stringMatching(/^met refused: ingress allowed/) as string;
  const nobody = 'is denied, which proves nothing: without policies it met refused';
  expect(failures).toEqual([[denied, denied], [refused, refused], [nobody, nobody], []]);
  expect(exit).toBe(1);
});

test('diff tells what apply would change in a running lab, and nothing once it is applied', async () => {
  const app = ['-f', `${folder}/app.yaml`];
  const friends = ['-f', `${folder}/friends.yaml`];
  expect(await user.run(['up', ...app, '--name', 'shop'])).toMatchObject({ exit: 0 });
  const { exit, stdout } = await user.run(['diff', ...friends, '--lab', 'shop']);
  expect(stdout).toMatch(/^- .*default\/stranger.* -> default\/deployment\/web \(2\) {2}every port$/m);
  expect(exit).toBe(1);
  // Its pods keep their addresses and owners.
  expect(await user.run(['diff', ...app, '--lab', 'shop'])).toMatchObject({ exit: 0, stdout: 'nothing changes\n' });
  await user.run(['apply', ...friends]);
  expect(await user.run(['diff', ...friends])).toMatchObject({ exit: 0, stdout: 'nothing changes\n' });
  await user.run(['down', 'shop']);
});
