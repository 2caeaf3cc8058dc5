import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { openTable } from '../../src/table/decider.ts';
import { LiveTable } from '../../src/table/live-table.ts';
import { compile } from '../../src/table/compile.ts';
import { cluster } from '../builders/cluster.ts';
import { connection } from '../builders/connection.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { decideByNumbers } from '../reference/numbers.ts';
import type { HammerData, HammerReport } from './hammer-in-worker.ts';

const CHANGES = 20_000;

const client = pod({ name: 'client', labels: { app: 'client' }, ip: '10.0.0.1', node: '192.168.0.1' });
const web = pod({ name: 'web', labels: { app: 'web' }, ip: '10.0.0.2', node: '192.168.0.1' });
const relabelled = pod({ name: 'client', labels: { app: 'other' }, ip: '10.0.0.1', node: '192.168.0.1' });
// In either state exactly one of two pods is let in by its address and the other by its labels, and both only
// together: a mixture of two states would show as an answer that neither gives.
const toWeb = policy({
  name: 'web',
  pods: { app: 'web' },
  ingress: [{ from: [{ pods: { app: 'client' } }], ports: ['80'] }],
});
const toWebByBlock = policy({
  name: 'web',
  pods: { app: 'web' },
  ingress: [{ from: [{ block: '10.0.0.0/30' }, { block: '203.0.113.0/24' }], ports: ['80', '8000-8100'] }],
});

test('a reader in another thread sees the table before a change or after it', { timeout: 60_000 }, async () => {
  const table = LiveTable.from(cluster({ pods: [client, web], policies: [toWeb] }));
  // Both states of the cluster let the client reach port 80, one by its labels, one by its address; port 81 neither does.
  const states = [
    { pods: [client, web], policies: [toWeb] },
    { pods: [relabelled, web], policies: [toWebByBlock] },
  ].map(cluster);
  for (const state of [...states, ...states]) table.sync(state); // the buffer grows now, not later
  const { buffer } = table;
  const control = new SharedArrayBuffer(8);
  const words = new Int32Array(control);
  const questions = [connection(client, web, '80'), connection(client, web, '81'), connection('9.9.9.9', web, '80')];
  const workerData: HammerData = {
    buffer,
    control,
    questions: questions.flatMap(({ source, destination, port }) => [
      source.words[0] ?? 0,
      destination.words[0] ?? 0,
      6,
      port,
    ]),
  };
  const worker = new Worker(new URL('./hammer-in-worker.ts', import.meta.url), { workerData });
  const reported = new Promise<HammerReport>((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  );
  Atomics.wait(words, 0, 0);
  for (let change = 0; change < CHANGES; change += 1) {
    for (const state of states) table.sync(state);
  }
  expect(table.buffer).toBe(buffer); // what changes replace is used again
  Atomics.store(words, 1, 1);
  const { decisions, answers } = await reported;
  await worker.terminate();
  expect(decisions).toBeGreaterThan(CHANGES);
  expect(answers).toEqual([1 << 0, 1 << 2, 1 << 2]);
});

describe('what changes leave behind', () => {
  test('a table does not grow by changes that are undone', () => {
    const table = LiveTable.from(cluster({ pods: [client, web], policies: [toWeb] }));
    const once = (index: number): void => {
      const block = `20.${index & 255}.${(index >> 2) & 255}.0/24`;
      table.setPolicy(
        policy({ name: 'extra', ingress: [{ from: [{ block, except: [`${block.slice(0, -4)}7/32`] }] }] }),
      );
      table.setPod(
        pod({ name: 'extra', labels: { run: `extra-${index}` }, ip: `10.0.${index & 127}.9`, node: '192.168.0.7' }),
      );
      table.removePolicy('default/extra');
      table.removePod('default/extra');
    };
    once(0);
    const { stats, buffer } = table;
    for (let index = 0; index < 1000; index += 1) once(index);
    expect(table.stats).toEqual(stats);
    expect(table.buffer).toBe(buffer);
  });

  test('a buffer that became too small keeps its last state', () => {
    const table = LiveTable.from(cluster({ pods: [client, web], policies: [toWeb] }));
    const before = openTable(table.buffer);
    const { buffer } = table;
    const blocks = Array.from({ length: 5000 }, (_, index) => ({ block: `30.${index >> 8}.${index & 255}.0/28` }));
    table.setPolicy(policy({ name: 'web', pods: { app: 'web' }, ingress: [{ from: blocks }] }));
    expect(table.buffer).not.toBe(buffer);
    expect(before.moved).toBe(true);
    expect(decideByNumbers(before, connection(client, web, '80'))).toBe(0);
    const after = openTable(table.buffer);
    expect(after.moved).toBe(false);
    expect(decideByNumbers(after, connection(client, web, '80'))).toBe(2);
    expect(decideByNumbers(after, connection('30.1.2.3', web, '80'))).toBe(0);
  });

  test('a snapshot does not change with its table', () => {
    const table = LiveTable.from(cluster({ pods: [client, web], policies: [toWeb] }));
    const snapshot = openTable(table.snapshot());
    table.removePolicy('default/web');
    expect(decideByNumbers(snapshot, connection('9.9.9.9', web, '80'))).toBe(2);
    expect(decideByNumbers(openTable(table.snapshot()), connection('9.9.9.9', web, '80'))).toBe(0);
  });

  test('a change of nothing is none', () => {
    const table = LiveTable.from(cluster({ pods: [client, web], policies: [toWeb] }));
    const bytes = [...new Int32Array(table.snapshot())];
    table.sync(cluster({ pods: [client, web], policies: [toWeb] }));
    expect(table.removePod('default/none')).toBe(false);
    expect(table.removePolicy('default/none')).toBe(false);
    expect([...new Int32Array(table.snapshot())]).toEqual(bytes);
  });
});

describe('a table for some subjects', () => {
  const given = cluster({ pods: [client, web], policies: [toWeb, policy({ pods: { app: 'client' }, egress: [] })] });

  test.each([
    { name: 'all', subjects: () => true, toWebFromOutside: 2, fromClient: 1 },
    { name: 'web only', subjects: ({ name }: { name: string }) => name === 'web', toWebFromOutside: 2, fromClient: 0 },
    {
      name: 'client only',
      subjects: ({ name }: { name: string }) => name === 'client',
      toWebFromOutside: 0,
      fromClient: 1,
    },
    { name: 'none', subjects: () => false, toWebFromOutside: 0, fromClient: 0 },
  ])('$name', ({ subjects, toWebFromOutside, fromClient }) => {
    const table = compile(given, { subjects });
    const decider = openTable(table.buffer);
    expect(decideByNumbers(decider, connection('9.9.9.9', web))).toBe(toWebFromOutside);
    expect(decideByNumbers(decider, connection(client, web))).toBe(fromClient);
    expect(decideByNumbers(decider, connection(client, web, '81'))).toBe(fromClient | toWebFromOutside);
    expect(table.explain(connection(client, web)).allowed).toBe(fromClient === 0);
  });

  test('has nothing of policies that select none of them', () => {
    const blocks = Array.from({ length: 100 }, (_, index) => ({ block: `20.0.${index}.0/24` }));
    const many = cluster({
      pods: [client, web],
      policies: [policy({ pods: { app: 'web' }, ingress: [{ from: blocks }] })],
    });
    expect(compile(many, { subjects: ({ name }) => name === 'client' }).stats).toMatchObject({
      cidrClasses: 1,
      rows: 1,
    });
    expect(compile(many, { subjects: ({ name }) => name === 'web' }).stats).toMatchObject({
      cidrClasses: 101,
      rows: 2,
    });
  });
});
