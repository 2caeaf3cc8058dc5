import { expect, test } from 'vitest';
import { FlowLog } from '../../src/flows/flow-log.ts';
import { FlowRecorder } from '../../src/lab/flow-recorder.ts';
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

function packet() {
  const { source, destination, transport, port } = connection(CLIENT, WEB);
  return { timeMs: 0, source, destination, transport, sourcePort: 40_000, destinationPort: port };
}
