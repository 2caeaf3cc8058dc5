import { expect, test } from 'vitest';
import type { Cluster } from '../../src/model/cluster.ts';
import type { Difference, NearMiss } from '../../src/model/near-miss.ts';
import { podKey } from '../../src/model/pod.ts';
import type { Labels } from '../../src/model/selector.ts';
import type { Connection } from '../../src/model/verdict.ts';
import { evaluate } from '../../src/reference/evaluate.ts';
import { nearMisses } from '../../src/table/near-miss.ts';
import { build, randomCluster } from '../builders/random-cluster.ts';
import { randomConnection } from '../builders/random-connection.ts';
import { Random } from '../builders/random.ts';

const SEED = 20_260_301;
const CLUSTERS = 150;
const CONNECTIONS = 60;

interface Situation {
  readonly cluster: Cluster;
  readonly connection: Connection;
}

test(`a change that is said to be enough makes the rule match (seeds from ${SEED})`, () => {
  const tried = new Map<string, number>();
  for (let seed = SEED; seed < SEED + CLUSTERS; seed += 1) {
    for (const situation of randomSituations(seed)) {
      for (const miss of missesOf(situation)) {
        const [difference, ...more] = miss.differences;
        const changed = difference && more.length === 0 ? applied(difference, situation) : undefined;
        if (!difference || !changed) continue;
        tried.set(difference.kind, (tried.get(difference.kind) ?? 0) + 1);
        expect(matches(changed, miss), `seed ${seed}: ${JSON.stringify(miss)}`).toBe(true);
      }
    }
  }
  expect([...tried.keys()].sort()).toEqual(['label', 'named-port', 'namespace-label', 'port', 'protocol']);
  for (const [kind, count] of tried) expect(count, kind).toBeGreaterThan(20);
});

test('all differences together are enough', () => {
  let tried = 0;
  for (let seed = SEED; seed < SEED + CLUSTERS; seed += 1) {
    for (const situation of randomSituations(seed)) {
      for (const miss of missesOf(situation)) {
        const changed = miss.differences.reduce<Situation | undefined>(
          (before, difference) => before && applied(difference, before),
          situation,
        );
        if (!changed || miss.differences.length < 2) continue;
        tried += 1;
        expect(matches(changed, miss), `seed ${seed}: ${JSON.stringify(miss)}`).toBe(true);
      }
    }
  }
  expect(tried).toBeGreaterThan(100);
});

test('every rule of the policies that deny is there once, and none for what is allowed', () => {
  for (let seed = SEED; seed < SEED + CLUSTERS; seed += 1) {
    for (const { cluster, connection } of randomSituations(seed)) {
      const verdict = evaluate(cluster, connection);
      const want = (['egress', 'ingress'] as const).flatMap((direction) => {
        const side = verdict[direction];
        if (side.kind !== 'no-rule') return [];
        return side.policies.flatMap(({ name, [direction]: rules }) => {
          const count = rules.kind === 'isolates' ? rules.rules.length : 0;
          if (count === 0) return [`${direction} ${name} null`];
          return Array.from({ length: count }, (_, index) => `${direction} ${name} ${index}`);
        });
      });
      const found = nearMisses(cluster, connection, verdict);
      expect(found.map(({ direction, name, rule }) => `${direction} ${name} ${rule}`).sort()).toEqual(want.sort());
      expect(found.filter(({ differences }) => differences.length === 0)).toEqual([]);
    }
  }
});

function randomSituations(seed: number): Situation[] {
  const random = new Random(seed);
  const cluster = build(randomCluster(random));
  return random.list(CONNECTIONS, CONNECTIONS, () => ({ cluster, connection: randomConnection(random, cluster) }));
}

function missesOf({ cluster, connection }: Situation): readonly NearMiss[] {
  return nearMisses(cluster, connection, evaluate(cluster, connection));
}

/** Whether the reference finds that the rule of the miss matches. */
function matches({ cluster, connection }: Situation, { direction, namespace, name, rule }: NearMiss): boolean {
  const side = evaluate(cluster, connection)[direction];
  return (
    side.kind === 'rules' &&
    side.matches.some(
      (match) => match.policy.namespace === namespace && match.policy.name === name && match.rule.index === rule,
    )
  );
}

/** The situation after the change that is said to be enough; undefined for what no such change can mend. */
function applied(difference: Difference, { cluster, connection }: Situation): Situation | undefined {
  switch (difference.kind) {
    case 'protocol':
      return { cluster, connection: { ...connection, transport: difference.enough } };
    case 'port':
      return { cluster, connection: { ...connection, port: difference.last } };
    case 'named-port':
      return difference.enough === null
        ? undefined
        : { cluster, connection: { ...connection, port: difference.enough } };
    case 'label': {
      const pods = cluster.pods.map((pod) =>
        podKey(pod) === difference.pod ? { ...pod, labels: relabelled(pod.labels, difference) } : pod,
      );
      return { cluster: { ...cluster, pods }, connection };
    }
    case 'namespace-label': {
      const { namespace: name } = difference;
      const labels = relabelled(cluster.namespaces.get(name)?.labels ?? new Map(), difference);
      return {
        cluster: { ...cluster, namespaces: new Map(cluster.namespaces).set(name, { name, labels }) },
        connection,
      };
    }
    default:
      return undefined;
  }
}

function relabelled(labels: Labels, { key, enough }: { key: string; enough: string | null }): Labels {
  const changed = new Map(labels);
  if (enough === null) changed.delete(key);
  else changed.set(key, enough);
  return changed;
}
