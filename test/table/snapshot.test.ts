import { expect, test } from 'vitest';
import { connectionDecider } from '../../src/table/connection-decider.ts';
import { LiveTable } from '../../src/table/live-table.ts';
import { ip, portNumber } from '../builders/address.ts';
import { cluster } from '../builders/cluster.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';

test('a copy in the memory of an earlier one is the same table, and is made anew when it has grown out of it', () => {
  const table = LiveTable.from(cluster({ pods: [pod({ name: 'a', ip: ['10.0.0.1'] })] }));
  const first = table.snapshot();
  const second = table.snapshot(first);
  expect(second).toBe(first);
  for (let number = 2; number < 200; number += 1) {
    table.setPod(pod({ name: `p${number}`, labels: { app: `p${number}` }, ip: [`10.0.${number}.1`] }));
  }
  const third = table.snapshot(second);
  expect(third).not.toBe(second);
  table.setPolicy(policy({ pods: { app: 'p7' }, ingress: [] }));
  const fourth = table.snapshot(third);
  expect(fourth).toBe(third);
  const connection = {
    source: ip('10.0.0.1'),
    destination: ip('10.0.7.1'),
    transport: 'TCP',
    port: portNumber(80),
  } as const;
  expect(connectionDecider(fourth)(connection)).toBe(connectionDecider(table.snapshot())(connection));
  expect(connectionDecider(fourth)(connection)).not.toBe(0);
});
