import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../src/model/cluster.ts';
import { SCALES, workload } from '../../src/bench/workload.ts';
import { workloadQueries } from '../../src/bench/workload-queries.ts';
import { podKey } from '../../src/model/pod.ts';
import type { Connection } from '../../src/model/verdict.ts';
import { compile } from '../../src/table/compile.ts';
import { openTable } from '../../src/table/decider.ts';
import { LiveTable } from '../../src/table/live-table.ts';
import { cluster } from '../builders/cluster.ts';
import { connection } from '../builders/connection.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { decideByNumbers } from '../reference/numbers.ts';
import { runSequence } from './change-sequence.ts';

const SEQUENCES = Number(process.env.NETPOL_LAB_SEQUENCES ?? 120);
const SEED = Number(process.env.NETPOL_LAB_SEED ?? 20_260_101);

describe(`after any changes the table is that of the cluster (NETPOL_LAB_SEED=${SEED})`, () => {
  test(`in ${SEQUENCES} random sequences`, { timeout: 60_000 + 500 * SEQUENCES }, () => {
    expect(SEQUENCES).toBeGreaterThan(0);
    for (let sequence = 0; sequence < SEQUENCES; sequence += 1) runSequence(SEED + sequence);
  });
});

test('a table of 1,000 pods and 500 policies that came one by one is that of the cluster', { timeout: 60_000 }, () => {
  const given = workload(SCALES.M, SEED);
  const table = new LiveTable();
  for (const each of given.namespaces.values()) table.setNamespace(each);
  const [early, late] = [given.pods.slice(0, 500), given.pods.slice(500)];
  for (const each of early) table.setPod(each);
  for (const each of given.policies) table.setPolicy(each);
  for (const each of late) table.setPod(each);
  expect(table.cluster.policies).toEqual(given.policies);
  expectEqual(table, given);
  const odd = { ...given, policies: given.policies.filter((_, index) => index % 2 === 1), pods: late };
  for (const each of given.policies.filter((_, index) => index % 2 === 0)) table.removePolicy(podKey(each));
  for (const each of early) table.removePod(podKey(each));
  expectEqual(table, odd);
});

test('a table that outgrows flat rows is that of the cluster before, after and again', () => {
  const web = pod({ name: 'web', ip: '10.1.0.1' });
  const block = (index: number): string => `20.${index >> 8}.${index & 255}.0/25`;
  const table = new LiveTable();
  const early = openTable(table.buffer);
  for (const count of [1, 4000, 4200, 3]) {
    const policies = Array.from({ length: count }, (_, index) =>
      policy({ name: `p${index}`, ingress: [{ from: [{ block: block(index) }], ports: ['80'] }] }),
    );
    table.sync(cluster({ pods: [web], policies }));
    const decider = openTable(table.buffer);
    for (const index of [0, 2, 3, count - 1, 3999, 4199]) {
      const outside = block(index).replace('.0/25', '.1');
      expect(decideByNumbers(decider, connection(outside, web, '80'))).toBe(index < count ? 0 : 2);
      expect(decideByNumbers(decider, connection(outside, web, '81'))).toBe(2);
      expect(decideByNumbers(decider, connection(web, outside, '80'))).toBe(0);
    }
  }
  expect(early.moved).toBe(true);
});

/** Compares numbers on random connections of both families. */
function expectEqual(table: LiveTable, given: Cluster): void {
  const [live, fresh] = [openTable(table.buffer), openTable(compile(given).buffer)];
  const isAllowed = (question: Connection): boolean => decideByNumbers(fresh, question) === 0;
  for (const family of [4, 6] as const) {
    for (const question of workloadQueries(given, { count: 2000, family, seed: SEED, isAllowed })) {
      expect(decideByNumbers(live, question)).toBe(decideByNumbers(fresh, question));
    }
  }
}
