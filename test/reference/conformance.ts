import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../src/model/cluster.ts';
import type { Connection, Verdict } from '../../src/model/verdict.ts';
import { CASES } from './cases.ts';
import { verdictText } from './verdict-text.ts';

/** What judges connections of a cluster: the reference, the table, or whatever comes after. */
export type Judge = (cluster: Cluster) => (connection: Connection) => Verdict;

/** Runs all conformance cases over one implementation. */
export function runConformance(name: string, judge: Judge): void {
  describe(`${name} conforms to rule`, () => {
    test.each(CASES)('$name', ({ cluster, connection, want }) => {
      expect(verdictText(judge(cluster)(connection))).toEqual(want);
    });
  });
}
