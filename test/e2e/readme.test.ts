import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { given } from '../builders/given.ts';
import { CliUser } from './cli-fixture.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MANIFESTS = `
{ apiVersion: v1, kind: Pod, metadata: { name: web, labels: { app: nginx } }, spec: { containers: [{ name: web, image: nginx }] } }
---
{ apiVersion: v1, kind: Pod, metadata: { name: client, labels: { app: client } }, spec: { containers: [{ name: curl, image: curlimages/curl }] } }
---
{ apiVersion: v1, kind: Service, metadata: { name: web }, spec: { selector: { app: nginx }, ports: [{ port: 80 }] } }
`;
const DENY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny }
spec: { podSelector: {}, policyTypes: [Ingress] }
`;

const ALLOW = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: allow-web
spec:
  podSelector:
    matchLabels:
      app: nginx
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app: frontend
      ports:
        - port: 80
`;

let bin: string;
let user: CliUser;
let folder: string;

beforeAll(async () => {
  bin = await mkdtemp(join(tmpdir(), 'npl-bin-'));
  user = await CliUser.create({ path: bin });
  const program = join(bin, 'netpol-lab');
  await writeFile(program, `#!/bin/sh\nexec node ${join(ROOT, 'src/cli/netpol-lab.ts')} "$@"\n`);
  await chmod(program, 0o755);
  folder = await user.folder({ 'shop.yaml': MANIFESTS, 'deny.yaml': DENY, 'allow-web.yaml': ALLOW });
  await mkdir(join(folder, 'manifests'));
  await rename(join(folder, 'shop.yaml'), join(folder, 'manifests/shop.yaml'));
});
afterAll(async () => {
  await user[Symbol.asyncDispose]();
  await rm(bin, { recursive: true });
});

/** The first transcript under a heading of the README: what is typed, and what is printed. */
async function transcriptUnder(heading: string): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const section = given(readme.split(`\n${heading}\n`)[1], `README section ${heading}`);
  return given(/```\n(\$ [^]*?)```/.exec(section)?.[1], `transcript in README section ${heading}`);
}

/** Types the transcript's command lines into one shell. @returns the transcript as it is now. */
async function typed(transcript: string, before = ''): Promise<string> {
  const commands = transcript.split('\n').flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []));
  const lines = commands.flatMap((command) => [`cat <<'END'`, `$ ${command}`, 'END', command]);
  const script = ['exec 2>&1', `cd ${folder}`, before, ...lines].join('\n');
  const running = user.startProgram([...user.program.slice(0, -2), 'sh', '-c', script]);
  running.stdin.end();
  return (await running.ended).stdout;
}

/** What differs from run to run is left out, and how columns are aligned to it. */
function lasting(transcript: string): string[] {
  const text = transcript
    .replaceAll(/\d+\.\d+ s\b/g, 'TIME')
    .replaceAll(/\d+ (milliseconds|ms)\b/g, 'TIME')
    .replaceAll(/(\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d\.\d{3}Z?/g, 'TIME')
    .replaceAll(/:\d{4,5}\) ->/g, ':PORT) ->')
    .replaceAll(/\]:\d{4,5}$/gm, ']:PORT')
    .replaceAll(/coredns-[a-z0-9]+-[a-z0-9]{5}/g, 'coredns')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'DATE')
    .replaceAll(/\[\d\d\/[A-Z][a-z]{2}\/[\d: +]+\]/g, 'DATE')
    .replaceAll(/\b\d+s$/gm, 'AGE')
    .replaceAll(/ +/g, ' ');
  return text.trim().split('\n');
}

it('a lab of your own is what the README shows', async () => {
  const transcript = await transcriptUnder('## A lab of your own');
  expect(lasting(await typed(transcript))).toEqual(lasting(transcript));
});

it('kubectl on a lab is what the README shows', async () => {
  const transcript = await transcriptUnder('### kubectl');
  const before = [
    'netpol-lab up -f ./manifests --name shop >/dev/null',
    'netpol-lab exec client -- curl -sS http://web >/dev/null', // for the log
  ];
  expect(lasting(await typed(transcript, before.join('\n')))).toEqual(lasting(transcript));
});

it('why a connection was denied, and policies on trial, are what the README shows', async () => {
  const transcript = await transcriptUnder('### Why a connection was denied');
  const before = 'netpol-lab down --all >/dev/null; netpol-lab up -f ./manifests --name shop >/dev/null';
  expect(lasting(await typed(transcript, before))).toEqual(lasting(transcript));
  const trial = await transcriptUnder('### Policies on trial');
  expect(lasting(await typed(trial, 'netpol-lab delete netpol allow-web >/dev/null'))).toEqual(lasting(trial));
});
