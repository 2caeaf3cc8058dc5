import { describe, expect, test } from 'vitest';
import { isStrictSubset } from '../../src/net/prefix.ts';
import { build, randomCluster, type PlainCluster } from '../builders/random-cluster.ts';
import { randomConnection } from '../builders/random-connection.ts';
import { Random } from '../builders/random.ts';
import { shrink } from './shrink.ts';

describe('a random cluster', () => {
  test('is the same for the same seed, its connections too', () => {
    const sample = (seed: number) => {
      const random = new Random(seed);
      const plain = randomCluster(random);
      return { plain, connections: random.list(20, 20, () => randomConnection(random, build(plain))) };
    };
    expect(sample(7)).toEqual(sample(7));
    expect(sample(7)).not.toEqual(sample(8));
  });

  const peers = Array.from({ length: 50 }, (_, seed) => build(randomCluster(new Random(seed))))
    .flatMap(({ policies }) => policies)
    .flatMap(({ ingress, egress }) => [ingress, egress])
    .flatMap((side) => (side.kind === 'isolates' ? side.rules : []))
    .flatMap((rule) => (rule.peers.kind === 'list' ? rule.peers.peers : []));

  test('has excepts within their blocks only', () => {
    const blocks = peers.filter((peer) => peer.kind === 'block');
    expect(blocks.some(({ except }) => except.length > 0)).toBe(true);
    for (const { cidr, except } of blocks) {
      expect(except.filter((hole) => !isStrictSubset(hole, cidr))).toEqual([]);
    }
  });

  test('has values where operators ask for them only', () => {
    const requirements = peers.flatMap((peer) => (peer.kind === 'pods' ? peer.pods.requirements : []));
    const operators = new Set(requirements.map(({ operator }) => operator));
    expect(operators).toEqual(new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']));
    for (const { operator, values } of requirements) {
      expect(values.length > 0).toBe(operator === 'In' || operator === 'NotIn');
    }
  });
});

describe('shrink', () => {
  test('leaves the one part that the failure needs', () => {
    const cluster: PlainCluster = {
      namespaces: { a: { team: 'a' } },
      pods: [{ name: 'one', labels: { app: 'a', tier: 'b' } }, { name: 'two' }],
      policies: [{ name: 'p', pods: [['app', 'NotIn', 'a', 'b']], ingress: [{}, {}] }],
    };
    const fails = ({ pods }: PlainCluster) => pods.some((pod) => pod.labels?.tier === 'b');
    expect(shrink(cluster, fails)).toEqual({ namespaces: {}, pods: [{ labels: { tier: 'b' } }], policies: [] });
  });

  test('leaves an expression its key, operator and one value', () => {
    const cluster: PlainCluster = {
      namespaces: {},
      pods: [],
      policies: [{ pods: [['app', 'NotIn', 'a', 'b']] }],
    };
    const fails = ({ policies }: PlainCluster) => policies.some(({ pods }) => Array.isArray(pods) && pods.length > 0);
    expect(shrink(cluster, fails).policies).toEqual([{ pods: [['app', 'NotIn', 'a']] }]);
  });
});
