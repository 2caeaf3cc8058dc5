import { expect, test } from 'vitest';
import { VerdictWriter } from '../../src/cli/verdict-writer.ts';
import { verdictReport } from '../../src/report/verdict-report.ts';
import { compile } from '../../src/table/compile.ts';
import { build, randomCluster } from '../builders/random-cluster.ts';
import { randomConnection } from '../builders/random-connection.ts';
import { Random } from '../builders/random.ts';

const SEED = 20_260_501;

test(`verdicts are written as their reports, asked once or again (seeds from ${SEED})`, { timeout: 60_000 }, () => {
  for (let seed = SEED; seed < SEED + 100; seed += 1) {
    const random = new Random(seed);
    const cluster = build(randomCluster(random));
    const table = compile(cluster);
    const writer = new VerdictWriter(table);
    for (const connection of random.list(60, 60, () => randomConnection(random, cluster))) {
      const want = JSON.stringify(verdictReport(table.explain(connection)));
      expect(`{${writer.fields(connection)}}`, `seed ${seed}`).toBe(want);
      expect(`{${writer.fields(connection)}}`, `seed ${seed}, again`).toBe(want);
    }
  }
});
