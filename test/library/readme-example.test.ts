import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { given } from '../builders/given.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'netpol-lab-library-'));
const run = promisify(execFile);

const MANIFESTS = `apiVersion: v1
kind: Pod
metadata: { name: client, namespace: default, labels: { app: client } }
spec: { containers: [{ name: client, image: busybox }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: default, labels: { app: web } }
spec: { containers: [{ name: web, image: nginx }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: friends, namespace: default }
spec:
  podSelector: { matchLabels: { app: web } }
  ingress:
    - from:
        - podSelector: { matchLabels: { app: friend } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: broken, namespace: default }
spec: { podSelector: {}, policyTypes: [Sideways] }
`;

beforeAll(() => {
  // Other processes of the tests build as well; the script does nothing where the build is up to date.
  execFileSync('sh', [join(root, 'src/setup/build.sh')], { stdio: 'ignore' });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/netpol-lab'));
  mkdirSync(join(folder, 'manifests'));
  writeFileSync(join(folder, 'manifests/web.yaml'), MANIFESTS);
}, 60_000);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The code under a heading of the README. */
function exampleUnder(heading: string): string {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const section = given(readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0], `README section ${heading}`);
  return given(/```js\n([^]*?)```/.exec(section)?.[1], `code in README section ${heading}`);
}

describe('the library', () => {
  test('does what the README shows', async () => {
    writeFileSync(join(folder, 'example.mjs'), exampleUnder('As a library'));
    const { stdout, stderr } = await run(process.execPath, ['example.mjs'], { cwd: folder });
    expect(stdout).toBe(
      'denied\nmanifests/web.yaml:18 friends: default/client has app=client, rule wants app=friend\n',
    );
    expect(stderr).toMatch(/^manifests\/web\.yaml:23 NetworkPolicy default\/broken: .*Sideways.*\n$/);
  });

  test('has types for both of its modules, and shows nothing else', async () => {
    const code = `
      import * as manifest from 'netpol-lab/manifest';
      import * as table from 'netpol-lab/table';
      import metadata from 'netpol-lab/package.json' with { type: 'json' };
      const hidden = await import('netpol-lab/dist/cli/main.js').catch(({ code }) => code);
      console.log(JSON.stringify([Object.keys(manifest), Object.keys(table), metadata.name, hidden]));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], { cwd: folder });
    const [manifest, table, ...rest] = JSON.parse(stdout) as [string[], string[], string, string];
    expect(manifest).toEqual(
      expect.arrayContaining(['AddressPool', 'buildCluster', 'parseManifests', 'readManifests']),
    );
    expect(table).toEqual(expect.arrayContaining(['compile', 'connectionOf', 'nearMisses', 'openTable']));
    expect(rest).toEqual(['netpol-lab', 'ERR_PACKAGE_PATH_NOT_EXPORTED']);
  });

  test.each([
    ['an endpoint that is none', { from: 'client', to: 'default/web', port: '80' }, /did you mean default\/client/],
    ['a port that is none', { from: 'default/client', to: 'default/web', port: 'http' }, /"http" is no port/],
    ['a pod that is not there', { from: 'default/client', to: 'default/wbe', port: '80' }, /did you mean default\/web/],
  ])('says what is wrong with %s', async (_, asked, message) => {
    const { connectionOf } = await import('../../src/library/table.ts');
    const { AddressPool, buildCluster, parseManifests } = await import('../../src/library/manifest.ts');
    const { objects } = parseManifests([{ path: 'web.yaml', text: MANIFESTS }]);
    const { cluster } = buildCluster(objects, new AddressPool());
    expect(connectionOf(cluster, asked)).toEqual({
      kind: 'problem',
      message: expect.stringMatching(message) as string,
    });
  });
});
