import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { DEFAULT_OPTIONS } from '../../src/lab/lab-client.ts';
import { connectLab } from '../../src/lab/connect.ts';
import { labPaths, stateFolder } from '../../src/lab/state-folder.ts';
import { startLab } from '../../src/lab/start.ts';
import { podManifest, policyManifest, TestLab } from './lab-fixture.ts';

const PODS = podManifest('default/client') + podManifest('default/web');
const FILES = [{ path: 'pods.yaml', text: PODS }];
const PAIR = 2; // policies of one apply: all of them are there afterwards, or none

/** Kills a lab's process while something is done to it. */
async function killed(lab: TestLab): Promise<void> {
  process.kill(lab.status.pid, 'SIGKILL');
  while (lab.remains().length > 0) await delay(5);
}

/** Policies named N-0 and N-1, as one manifest. */
function pair(number: number): string {
  return Array.from({ length: PAIR }, (_, index) =>
    policyManifest(`default/p${number}-${index}`, '{ podSelector: { matchLabels: { app: none } } }'),
  ).join('');
}

it('a lab that is killed in the middle of many applies comes back with all that was answered, and nothing torn', async () => {
  const first = await TestLab.start({ name: 'again', files: FILES }, 'resume');
  await first.client.label({
    kind: 'pod',
    namespace: 'default',
    name: 'web',
    labels: { tier: 'front' },
    overwrite: false,
  });
  const [web] = (await first.client.objects('Pod')).filter(({ metadata }) => metadata.name === 'web');
  const answered: number[] = [];
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let number = writer; ; number += 4) {
      const done = await first.client.apply([{ path: 'pair.yaml', text: pair(number) }]).catch(() => undefined);
      if (!done) return;
      answered.push(number);
      if (answered.length === 60) await killed(first);
    }
  });
  await Promise.all(writers);

  await using second = await TestLab.start({ name: 'again', files: [] }, 'resume');
  expect(second.status.resumed).toBe(true);
  const names = new Set((await second.client.objects('NetworkPolicy')).map(({ metadata }) => metadata.name));
  const numbers = [...new Set([...names].map((name) => Number(name.slice(1).split('-')[0])))];
  const torn = numbers.filter((number) =>
    Array.from({ length: PAIR }, (_, at) => at).some((at) => !names.has(`p${number}-${at}`)),
  );
  expect(answered.length).toBeGreaterThanOrEqual(60);
  expect({ lost: answered.filter((number) => !names.has(`p${number}-0`)), torn }).toEqual({ lost: [], torn: [] });
  const [again] = (await second.client.objects('Pod')).filter(({ metadata }) => metadata.name === 'web');
  const { resourceVersion: _, ...before } = web?.metadata ?? { name: '' };
  expect(again?.metadata).toMatchObject(before);
  const request = { from: 'default/client', to: 'default/web', protocol: 'TCP', port: 80, timeoutMs: 5000 } as const;
  expect((await second.client.probe([request]))[0]?.outcome).toBe('refused'); // nobody listens; the network lets it through
});

it('a lab that was ended begins with its manifests', async () => {
  const first = await TestLab.start({ name: 'clean', files: FILES }, 'resume');
  await first.apply(pair(1));
  await first[Symbol.asyncDispose]();
  await using second = await TestLab.start({ name: 'clean', files: FILES }, 'resume');
  expect({ resumed: second.status.resumed, policies: second.status.policies }).toEqual({ resumed: false, policies: 0 });
});

it('a lab whose log is damaged does not start, says which file it is, and begins anew where told', async () => {
  const first = await TestLab.start({ name: 'damaged', files: FILES }, 'resume');
  await first.apply(pair(1));
  await first.apply(pair(2));
  await killed(first);
  const log = join(labPaths(await stateFolder(), 'damaged').objects, 'objects.log');
  const text = await readFile(log, 'utf8');
  await writeFile(log, text.replace('web', 'bew'));
  const options = DEFAULT_OPTIONS;
  const start = startLab({ name: 'damaged', files: FILES, external: [], options }, () => undefined, {
    objects: 'resume',
  });
  await expect(start).rejects.toThrow(new RegExp(`${log}: record \\d+ is damaged: delete the file, or begin anew`));
  expect(await readFile(log, 'utf8')).toContain('bew');
  await using second = await TestLab.start({ name: 'damaged', files: FILES }, 'fresh');
  expect(second.status).toMatchObject({ resumed: false, policies: 0 });
  await (await connectLab('damaged')).status();
});
