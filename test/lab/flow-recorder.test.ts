import { expect, test } from 'vitest';
import { FlowLog } from '../../src/flows/flow-log.ts';
import { FlowRecorder, RULES_A_SECOND } from '../../src/lab/flow-recorder.ts';
import { flowLine } from '../../src/report/flow-line.ts';
import { LiveTable } from '../../src/table/live-table.ts';
import { cluster } from '../builders/cluster.ts';
import { connection } from '../builders/connection.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';

const WEB = pod({ name: 'web', ip: '10.244.0.2' });
const CLIENT = pod({ name: 'client', ip: '10.244.0.3' });

test('a packet is explained by the table that judged it, though that has changed since', () => {
  const table = LiveTable.from(cluster({ pods: [WEB, CLIENT] }));
  const recorder = new FlowRecorder(new FlowLog(10));
  recorder.setTable(1, table);
  table.setPolicy(policy({ name: 'deny', ingress: [] }));
  recorder.setTable(2, table);
  const verdicts = [1, 2, 1].map((tableVersion) => recorder.record({ ...packet(), tableVersion })?.verdict);
  expect(verdicts).toEqual(['allow', 'deny', 'allow']);
});

test('of tables that are long gone no packet is explained', () => {
  const table = LiveTable.from(cluster({ pods: [WEB, CLIENT] }));
  const recorder = new FlowRecorder(new FlowLog(10));
  for (let version = 1; version <= 20; version += 1) recorder.setTable(version, table);
  expect([1, 4, 5, 20].map((tableVersion) => recorder.record({ ...packet(), tableVersion }) !== undefined)).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

test('a denial has the nearest miss of the table that judged it', () => {
  const wanting = (app: string) => policy({ name: 'allow', ingress: [{ from: [{ pods: { app } }] }] });
  const table = LiveTable.from(cluster({ pods: [WEB, CLIENT], policies: [wanting('front')] }));
  const recorder = new FlowRecorder(new FlowLog(10));
  recorder.setTable(1, table);
  table.setPolicy(wanting('frontend'));
  recorder.setTable(2, table);
  const texts = [1, 2].map((tableVersion) => {
    const nearest = recorder.record({ ...packet(), tableVersion })?.ingress.nearest;
    return nearest?.differences.map(({ text }) => text);
  });
  expect(texts).toEqual([
    ['default/client has no label app, rule wants app=front'],
    ['default/client has no label app, rule wants app=frontend'],
  ]);
});

test('of a flood of different denials, as many a second have their nearest miss as their rules allow', () => {
  const ingress = Array.from({ length: RULES_A_SECOND / 50 }, () => ({ ports: ['1'] }));
  const table = LiveTable.from(cluster({ pods: [WEB, CLIENT], policies: [policy({ ingress })] }));
  const recorder = new FlowRecorder(new FlowLog(10));
  recorder.setTable(1, table);
  const having = (timeMs: number) =>
    Array.from({ length: 80 }, (_, index) =>
      recorder.record({ ...packet(), timeMs, destinationPort: 1000 + index, tableVersion: 1 }),
    ).filter((event) => event?.ingress.nearest).length;
  expect(having(0)).toBe(50);
  expect(having(1000)).toBe(80); // those that had it keep it
});

test('a flow tells what the staged policies of its table would say, where they disagree', () => {
  const deny = policy({ name: 'deny', ingress: [] });
  const table = LiveTable.from(cluster({ pods: [WEB, CLIENT] }));
  const recorder = new FlowRecorder(new FlowLog(10));
  recorder.setTable(1, table, cluster({ pods: [WEB, CLIENT], policies: [deny] }));
  recorder.setTable(2, table, cluster({ pods: [WEB, CLIENT] }));
  recorder.setTable(3, table);
  const [one, ...others] = [1, 2, 3].map((tableVersion) => recorder.record({ ...packet(), tableVersion }));
  expect(one).toMatchObject({
    verdict: 'allow',
    staged: { verdict: 'deny', ingress: { policies: [{ name: 'deny' }] } },
  });
  expect(one && flowLine(one, false)).toMatch(
    /no policy isolates either end; would be denied by staged policies: ingress denied: isolated by default\/deny/,
  );
  expect(others).not.toContainEqual(expect.objectContaining({ staged: expect.anything() as unknown }));
});

function packet() {
  const { source, destination, transport, port } = connection(CLIENT, WEB);
  return { timeMs: 0, source, destination, transport, sourcePort: 40_000, destinationPort: port };
}
