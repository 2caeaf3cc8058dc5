import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../src/model/cluster.ts';
import type { Connection, Verdict } from '../../src/model/verdict.ts';
import { evaluate } from '../../src/reference/evaluate.ts';
import { compile } from '../../src/table/compile.ts';
import { openTable } from '../../src/table/decider.ts';
import { build, randomCluster, type PlainCluster } from '../builders/random-cluster.ts';
import { randomConnection } from '../builders/random-connection.ts';
import { Random } from '../builders/random.ts';
import { CASES } from './cases.ts';
import { runConformance } from './conformance.ts';
import { decideByNumbers, numberOf } from './numbers.ts';
import { shrink } from './shrink.ts';
import { Tally } from './tally.ts';
import { verdictText } from './verdict-text.ts';

const FAIR_SAMPLE = 100_000; // fewer decisions are a repetition, whose shares may be anything
const DECISIONS = wholeNumber('NETPOL_LAB_DECISIONS', FAIR_SAMPLE);
const SEED = wholeNumber('NETPOL_LAB_SEED', 20_260_101);
const DECISIONS_PER_CLUSTER = 100;

runConformance('the table', (cluster) => {
  const table = compile(cluster);
  return (connection) => table.explain(connection);
});

describe('the numbers of the table conform to rule', () => {
  test.each(CASES)('$name', ({ cluster, connection, want }) => {
    const answer = decideByNumbers(openTable(compile(cluster).buffer), connection);
    expect(answer === 0).toBe(want.allowed);
    expect(answer).toBe((want.egress.startsWith('no-rule') ? 1 : 0) | (want.ingress.startsWith('no-rule') ? 2 : 0));
  });
});

describe(`the table equals the reference (NETPOL_LAB_SEED=${SEED})`, () => {
  test(`in ${DECISIONS} random decisions, of which each kind is a fair share`, { timeout: 10_000 + DECISIONS }, () => {
    const seen = new Tally();
    for (let cluster = 0; seen.decisions < DECISIONS; cluster += 1) {
      // A seed of its own for each cluster: one that fails is repeated alone.
      compareOn(SEED + cluster, seen);
    }
    expect(seen.decisions).toBeGreaterThanOrEqual(DECISIONS);
    if (DECISIONS >= FAIR_SAMPLE) expect(seen.rare()).toEqual([]);
  });
});

/** Compares all answers on one random cluster; throws with a minimal example if they differ. */
function compareOn(seed: number, seen: Tally): void {
  const random = new Random(seed);
  const plain = randomCluster(random);
  const cluster = build(plain);
  const answers = answersOf(cluster);
  for (let decision = 0; decision < DECISIONS_PER_CLUSTER; decision += 1) {
    const connection = randomConnection(random, cluster);
    const reference = evaluate(cluster, connection);
    seen.add(reference);
    if (!agrees(reference, answers(connection))) throw new Error(disagreement(seed, plain, connection));
  }
}

interface Answers {
  readonly explained: Verdict;
  readonly number: number;
}

/** The table's answers, by explain() and by numbers. */
function answersOf(cluster: Cluster): (connection: Connection) => Answers {
  const table = compile(cluster);
  const decider = openTable(table.buffer);
  return (connection) => ({ explained: table.explain(connection), number: decideByNumbers(decider, connection) });
}

function agrees(reference: Verdict, { explained, number }: Answers): boolean {
  return (
    number === numberOf(reference) && JSON.stringify(verdictText(explained)) === JSON.stringify(verdictText(reference))
  );
}

/** All that it takes to repeat the failure, in the notation of test/builders. */
function disagreement(seed: number, plain: PlainCluster, connection: Connection): string {
  const minimal = shrink(plain, (smaller) => {
    const cluster = build(smaller);
    return !agrees(evaluate(cluster, connection), answersOf(cluster)(connection));
  });
  const cluster = build(minimal);
  const { explained, number } = answersOf(cluster)(connection);
  const { source, destination, port, transport } = connection;
  return [
    `the table differs from the reference; repeat with NETPOL_LAB_SEED=${seed}`,
    `connection ${source.text} > ${destination.text} ${port}/${transport}`,
    `reference  ${JSON.stringify(verdictText(evaluate(cluster, connection)))}`,
    `explain    ${JSON.stringify(verdictText(explained))}`,
    `numbers    ${number}`,
    ...Object.entries(minimal.namespaces).map(([name, labels]) => `namespace  ${name} ${JSON.stringify(labels)}`),
    ...minimal.pods.map((pod) => `pod        ${JSON.stringify(pod)}`),
    ...minimal.policies.map((policy) => `policy     ${JSON.stringify(policy)}`),
  ].join('\n');
}

/** The variable of the environment, which must be a whole number if it is set. */
function wholeNumber(variable: string, otherwise: number): number {
  const text = process.env[variable] ?? String(otherwise);
  if (!/^[1-9][0-9]*$/.test(text)) throw new Error(`${variable}: got ${text}, want a whole number from 1`);
  return Number(text);
}
