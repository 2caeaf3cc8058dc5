import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DEFAULT_OPTIONS } from '../../src/lab/lab-client.ts';
import { startLab } from '../../src/lab/start.ts';
import { useLab } from './cli-fixture.ts';
import { TestLab } from './lab-fixture.ts';

const POD = `
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: nginx } }
spec: { containers: [{ name: c, image: nginx }] }
`;

describe('changes that a lab refuses', () => {
  let lab: TestLab;
  beforeAll(async () => {
    lab = await TestLab.start({ name: 'refusals', files: [{ path: 'web.yaml', text: POD }] });
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  const labels = (change: Record<string, string | null>, overwrite = true) =>
    lab.client.label({ kind: 'pod', namespace: 'default', name: 'web', labels: change, overwrite });

  it.each([
    ['a key that is none', { 'a b': 'c' }, 'label key "a b"'],
    ['a value that is none', { app: 'x y' }, 'label value "x y"'],
  ])('%s', async (_, change, message) => {
    await expect(labels(change)).rejects.toThrow(message);
    const status = await lab.client.status();
    expect(status.pods.find(({ name }) => name === 'web')?.labels).toEqual({ app: 'nginx' });
  });

  it('a new value without --overwrite', async () => {
    await expect(labels({ app: 'other' }, false)).rejects.toThrow('change it with --overwrite');
  });

  it('the deletion of what is not there, and then deletes nothing', async () => {
    await expect(lab.client.delete({ kind: 'NetworkPolicy', namespace: 'default', name: 'nope' })).rejects.toThrow(
      'not found in lab refusals: NetworkPolicy default/nope',
    );
  });

  it('a manifest with an issue, and then applies none of the others', async () => {
    const text = `${POD.replace('name: web', 'name: second')}---\napiVersion: v1\nkind: Pod\nmetadata: { name: UPPER }\nspec: { containers: [{ name: c, image: nginx }] }\n`;
    const report = await lab.client.apply([{ path: 'two.yaml', text }]);
    expect(report.issues.map(({ line, field }) => ({ line, field }))).toEqual([{ line: 9, field: 'metadata.name' }]);
    expect((await lab.client.status()).pods.map(({ name }) => name)).not.toContain('second');
  });
});

describe('manifests without an object', () => {
  const lab = useLab({ manifests: [] });
  const configMap = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } });

  it.each([[['apply']], [['apply', '--staged']], [['delete']]])('%j: refused', async ([verb = '', ...options]) => {
    const empty = await lab.run(verb, [...options, '-f', '-'], '# nothing\n---\n');
    expect(empty).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringContaining('no objects') as string });
  });

  it.each(['apply', 'delete'])('%s: what netpol-lab does not know is passed over', async (verb) => {
    const unknown = await lab.run(verb, ['-f', '-'], configMap);
    expect(unknown.stderr).toMatch(/^warning: stdin:1: ConfigMap a is passed over/);
    expect(unknown.exit).toBe(0);
  });
});

it('a relay, which only labs in containers have: here the kernel carries', async () => {
  await using plain = await TestLab.start({ name: 'carried' });
  expect(plain.status.options.carry).toBe('kernel');
  const relayed = { ...DEFAULT_OPTIONS, carry: 'relay' } as const;
  await expect(TestLab.start({ name: 'relayed', options: relayed })).rejects.toThrow('add --backend compose');
});

const startInterrupted = async (afterMs: number): Promise<void> => {
  const interruption = new AbortController();
  const spec = { name: 'interrupted', files: [], external: [], options: DEFAULT_OPTIONS };
  const started = startLab(spec, () => undefined, { signal: interruption.signal });
  setTimeout(() => {
    interruption.abort(new Error('interrupted'));
  }, afterMs);
  await expect(started, `after ${afterMs} ms`).rejects.toThrow('interrupted');
};

it('a start that is interrupted ends, whenever that is', async () => {
  for (let afterMs = 0; afterMs < 60; afterMs += 2) await startInterrupted(afterMs);
});

// "unshare --kill-child" asks the kernel for that only after its child is there.
it('a start that is interrupted before unshare ties its child to itself ends', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'netpol-lab-untied-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const untied = join(folder, 'unshare');
  await writeFile(
    untied,
    '#!/bin/sh\nfor word; do shift; [ "$word" = --kill-child ] || set -- "$@" "$word"; done\nPATH="${PATH#*:}" exec unshare "$@"\n',
  );
  await chmod(untied, 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env.PATH ?? ''}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  await startInterrupted(40);
});
