import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiStore } from '../../src/apiserver/api-store.ts';
import { servedKind } from '../../src/apiserver/registry.ts';
import { WriteAheadLog } from '../../src/apiserver/write-ahead-log.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netpol-lab-log-'));
});

afterEach(() => rm(folder, { recursive: true }));

const logPath = (): string => join(folder, 'objects.log');

async function recordsIn(): Promise<unknown[]> {
  const { log, records } = await WriteAheadLog.open(folder);
  await log.close();
  return records;
}

describe('the log', () => {
  beforeEach(async () => {
    const { log } = await WriteAheadLog.open(folder);
    for (const number of [1, 2, 3]) log.append({ number });
    await log.close();
  });

  it('has what was appended', async () => {
    expect(await recordsIn()).toEqual([{ number: 1 }, { number: 2 }, { number: 3 }]);
  });

  it.each([1, 2, 10, 20])(
    'forgets a last line that lacks %d bytes, and goes on behind the one before',
    async (bytes) => {
      await truncate(logPath(), (await stat(logPath())).size - bytes);
      const { log, records } = await WriteAheadLog.open(folder);
      expect(records).toEqual([{ number: 1 }, { number: 2 }]);
      log.append({ number: 4 });
      await log.close();
      expect(await recordsIn()).toEqual([{ number: 1 }, { number: 2 }, { number: 4 }]);
    },
  );

  it('forgets a last line that is damaged', async () => {
    await appendFile(logPath(), '00000000 {"number":4}\n');
    expect(await recordsIn()).toHaveLength(3);
  });

  it('is refused if it is damaged before its end', async () => {
    const text = await readFile(logPath(), 'utf8');
    await writeFile(logPath(), text.replace('"number":2', '"number":7'));
    await expect(recordsIn()).rejects.toThrow(/record 2 is damaged/);
  });

  it('is rewritten with what still counts, between what comes before and after', async () => {
    const { log } = await WriteAheadLog.open(folder);
    log.append({ number: 5 });
    log.replace([{ number: 6 }]);
    log.append({ number: 7 });
    await log.close();
    expect(await recordsIn()).toEqual([{ number: 6 }, { number: 7 }]);
  });

  it('promises nothing once it cannot write', async () => {
    const { log } = await WriteAheadLog.open(folder);
    await log.close();
    log.append({ number: 8 });
    await expect(log.flushed()).rejects.toThrow('the log of objects cannot be written');
    await expect(log.flushed()).rejects.toThrow('the log of objects cannot be written');
  });
});

const configMap = servedKind('v1', 'ConfigMap');

describe('a store', () => {
  it('comes back as it was written, with versions that were never handed out', async () => {
    const before = await ApiStore.open({ folder });
    const target = { resource: configMap, namespace: 'default', name: '', subresource: '' } as const;
    const options = { dryRun: false, fieldValidation: 'Strict', fieldManager: 'test', warn: () => undefined } as const;
    const kept = await before.users.create(target, { metadata: { name: 'kept' }, data: { a: 'b' } }, options);
    await before.users.create(target, { metadata: { name: 'gone' } }, options);
    await before.users.remove(
      { ...target, name: 'gone' },
      { dryRun: false, orphan: false, uid: '', resourceVersion: '' },
    );
    before.system.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'passing', namespace: 'default' } });
    await before.close();

    const after = await ApiStore.open({ folder });
    expect(after.list('v1', 'ConfigMap')).toEqual([kept]);
    expect(after.list('v1', 'Namespace')).toEqual(before.list('v1', 'Namespace'));
    expect(Number(after.objects.resourceVersion)).toBeGreaterThan(Number(before.objects.resourceVersion));
    await after.close();
  });

  it('keeps its log short', async () => {
    const store = await ApiStore.open({ folder });
    const data = { text: 'x'.repeat(10_000) };
    for (let index = 0; index < 1000; index += 1) {
      const metadata = { namespace: 'default', name: 'one' };
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { ...data, index: String(index) } };
      store.system.put(object, { durable: true });
    }
    await store.close();
    expect((await stat(logPath())).size).toBeLessThan(2_000_000);
    const after = await ApiStore.open({ folder });
    expect(after.list('v1', 'ConfigMap')).toEqual(store.list('v1', 'ConfigMap'));
    await after.close();
  });

  it('has everything that was answered before it was killed', async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('writer-child.ts', import.meta.url)), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const answered: string[] = [];
    const lines = createInterface(child.stdout);
    lines.on('line', (line) => {
      answered.push(line);
      if (answered.length === 300) child.kill('SIGKILL');
    });
    await Promise.all([once(child, 'exit'), once(lines, 'close')]);
    const store = await ApiStore.open({ folder });
    const names = new Set(store.list('v1', 'ConfigMap').map(({ metadata }) => metadata.name));
    const wrong = answered.filter((line) => names.has(line.slice(1)) !== line.startsWith('+'));
    expect(answered.length).toBeGreaterThanOrEqual(300);
    expect(wrong).toEqual([]);
    await store.close();
  });
});
