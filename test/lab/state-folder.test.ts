import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { labPaths, readRecord, writeRecord } from '../../src/lab/state-folder.ts';

let root = '';

afterEach(() => rm(root, { recursive: true, force: true }));

it('a record is whole from the moment it is there, and when it is replaced', async () => {
  root = await mkdtemp(join(tmpdir(), 'netpol-lab-test-'));
  const paths = { ...labPaths(root, 'one'), folder: root, record: join(root, 'lab.json') };
  expect(await readRecord(paths)).toBeUndefined();
  const events: string[] = [];
  const watcher = watch(root, (event, file) => events.push(`${event} ${file ?? ''}`));
  for (const launcherPid of [1, 2]) {
    const record = { name: 'one', launcherPid, startTicks: '7' };
    await writeRecord(paths, record);
    expect(JSON.parse(await readFile(paths.record, 'utf8'))).toEqual(record);
  }
  // A file that is opened to be written shows as changed; one that is moved into place does not.
  await expect.poll(() => events.filter((event) => event === 'rename lab.json').length).toBe(2);
  watcher.close();
  expect(events).not.toContain('change lab.json');
});
