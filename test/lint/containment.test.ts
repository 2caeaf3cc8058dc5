import { expect, test } from 'vitest';
import { peersContain, portsContain, selectorContains } from '../../src/lint/containment.ts';
import type { NetworkPolicy, Rule } from '../../src/model/policy.ts';
import { evaluate } from '../../src/reference/evaluate.ts';
import { build, randomCluster } from '../builders/random-cluster.ts';
import { randomConnection } from '../builders/random-connection.ts';
import { Random } from '../builders/random.ts';

const SEED = 20_261_126;
const CLUSTERS = 400;

test(`a rule that contains another allows all that the other does (seeds from ${SEED})`, () => {
  let contained = 0;
  for (let seed = SEED; seed < SEED + CLUSTERS; seed += 1) {
    const random = new Random(seed);
    const cluster = build(randomCluster(random));
    const rules = cluster.policies.flatMap((policy) => rulesOf(policy).map((rule) => ({ policy, rule })));
    for (const outer of rules) {
      for (const inner of rules) {
        if (outer === inner || outer.policy.namespace !== inner.policy.namespace || !contains(outer, inner)) continue;
        contained += 1;
        for (let count = 0; count < 20; count += 1) {
          const connection = randomConnection(random, cluster);
          const verdict = (one: typeof inner) =>
            evaluate({ ...cluster, policies: [alone(one.policy, one.rule)] }, connection).ingress.kind;
          if (verdict(inner) === 'rules') expect(verdict(outer), `seed ${seed}`).toBe('rules');
        }
      }
    }
  }
  expect(contained).toBeGreaterThan(CLUSTERS / 4);
});

function contains(outer: { policy: NetworkPolicy; rule: Rule }, inner: { policy: NetworkPolicy; rule: Rule }): boolean {
  return (
    selectorContains(outer.policy.podSelector, inner.policy.podSelector) &&
    portsContain(outer.rule.ports, inner.rule.ports) &&
    peersContain(outer.rule.peers, inner.rule.peers)
  );
}

function rulesOf({ ingress }: NetworkPolicy): readonly Rule[] {
  return ingress.kind === 'isolates' ? ingress.rules : [];
}

/** The policy with this rule alone. */
function alone(policy: NetworkPolicy, rule: Rule): NetworkPolicy {
  return { ...policy, ingress: { kind: 'isolates', rules: [rule] }, egress: { kind: 'ignored' } };
}
