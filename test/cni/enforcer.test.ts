import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Enforcer } from '../../src/cni/enforcer.ts';
import { CNI_NAMES, CNI_PROFILES } from '../../src/cni/profile.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { NetworkPolicy, PolicySide } from '../../src/model/policy.ts';
import type { Connection } from '../../src/model/verdict.ts';
import type { IpAddress } from '../../src/net/ip.ts';
import { evaluate } from '../../src/reference/evaluate.ts';
import { compile } from '../../src/table/compile.ts';
import { cluster } from '../builders/cluster.ts';
import { connection } from '../builders/connection.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { build, randomCluster } from '../builders/random-cluster.ts';
import { randomConnection } from '../builders/random-connection.ts';
import { Random } from '../builders/random.ts';

const SEED = 20_261_127;
const CLUSTERS = 300;

const web = pod({ name: 'web', ip: '10.244.0.5', ports: ['http=80'] });
const client = pod({ name: 'client', ip: '10.244.0.6' });

function allowed(given: Cluster, cni: (typeof CNI_NAMES)[number], asked: Connection): boolean {
  return compile(new Enforcer(cni).enforced(given)).explain(asked).allowed;
}

test.each(['reference', 'calico'] as const)('%s enforces policies as they are', (name) => {
  const given = cluster({ pods: [web], policies: [policy({ ingress: [{ from: [{ block: '10.0.0.0/8' }] }] })] });
  expect(new Enforcer(name).enforced(given)).toBe(given);
});

test('every profile that differs from the reference says how, and the README where that is written', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').replace(/\s+/g, ' ');
  for (const name of CNI_NAMES) {
    const { facts, ...rest } = CNI_PROFILES[name];
    const differs = JSON.stringify(rest) !== JSON.stringify({ ...CNI_PROFILES.reference, facts: undefined });
    if (differs) expect(facts.length, name).toBeGreaterThan(0);
    for (const { text, sources } of facts) {
      const links = sources.map((source, index) => `[${index + 1}](${source})`).join(', ');
      expect(readme).toContain(`| \`${name}\` | ${text} | ${links} |`);
    }
  }
});

describe('flannel', () => {
  const given = cluster({ pods: [web, client], policies: [policy({ name: 'deny', ingress: [] })] });

  test('enforces nothing, and says so with each policy and verdict', () => {
    const enforcer = new Enforcer('flannel');
    expect(compile(given).explain(connection(client, web, '80')).allowed).toBe(false);
    expect(allowed(given, 'flannel', connection(client, web, '80'))).toBe(true);
    expect(enforcer.enforced(given).caveat).toBe('flannel enforces no policies');
    expect(given.policies.flatMap((each) => enforcer.remarks(each))).toEqual([
      'flannel enforces no policies: default/deny (default-deny.yaml:1) has no effect',
    ]);
  });
});

describe('weave', () => {
  test('passes over a policy with a named port', () => {
    const given = cluster({ pods: [web, client], policies: [policy({ ingress: [{ ports: ['http'] }] })] });
    expect(compile(given).explain(connection(client, web, '81')).allowed).toBe(false);
    expect(allowed(given, 'weave', connection(client, web, '81'))).toBe(true);
  });

  test('takes a range of ports for its first', () => {
    const given = cluster({ pods: [web, client], policies: [policy({ ingress: [{ ports: ['80-90', '443'] }] })] });
    const answers = ['80', '81', '90', '443'].map((port) => [
      compile(given).explain(connection(client, web, port)).allowed,
      allowed(given, 'weave', connection(client, web, port)),
    ]);
    expect(answers).toEqual([
      [true, true],
      [true, false],
      [true, false],
      [true, true],
    ]);
  });
});

describe('cilium', () => {
  test.each([
    ['a block around the pods', '10.0.0.0/8', 'does not match those in it that are pods or nodes'],
    ['a block of some pods', '10.244.0.0/24', 'does not match those in it that are pods or nodes'],
    ['a block of one pod', '10.244.0.6/32', 'matches nothing, as all in it are pods or nodes'],
  ])('matches no pod by %s', (_, block, remark) => {
    const given = cluster({ pods: [web, client], policies: [policy({ ingress: [{ from: [{ block }] }] })] });
    expect(compile(given).explain(connection(client, web, '80')).allowed).toBe(true);
    expect(allowed(given, 'cilium', connection(client, web, '80'))).toBe(false);
    const enforcer = new Enforcer('cilium');
    enforcer.enforced(given);
    expect(given.policies.flatMap((each) => enforcer.remarks(each))).toEqual([expect.stringContaining(remark)]);
  });

  test('matches hosts outside by a block', () => {
    const given = cluster({ pods: [web], policies: [policy({ ingress: [{ from: [{ block: '10.0.0.0/8' }] }] })] });
    expect(allowed(given, 'cilium', connection('10.9.0.1', web, '80'))).toBe(true);
  });

  test('matches no pod where only one policy is known: all that pods may have counts as theirs', () => {
    const read = new Enforcer('cilium').policy(policy({ ingress: [{ from: [{ block: '0.0.0.0/0' }] }] }));
    const given = cluster({ pods: [web, client], policies: read ? [read] : [] });
    expect(compile(given).explain(connection(client, web, '80')).allowed).toBe(false);
    expect(compile(given).explain(connection('10.9.0.1', web, '80')).allowed).toBe(true);
  });

  test(`is the reference without blocks where the other end is a pod or a node (seeds from ${SEED})`, () => {
    let differences = 0;
    for (let seed = SEED; seed < SEED + CLUSTERS; seed += 1) {
      const random = new Random(seed);
      const given = build(randomCluster(random));
      const table = compile(new Enforcer('cilium').enforced(given));
      for (let count = 0; count < 30; count += 1) {
        const asked = randomConnection(random, given);
        const want = evaluate(withoutBlocks(given, asked), asked).allowed;
        expect(table.explain(asked).allowed, `seed ${seed}`).toBe(want);
        if (evaluate(given, asked).allowed !== want) differences += 1;
      }
    }
    expect(differences).toBeGreaterThan(CLUSTERS / 10);
  });
});

test('a policy that comes again is the same object again, unless the addresses of pods are others', () => {
  const enforcer = new Enforcer('cilium');
  const [around, plain] = [
    policy({ name: 'around', ingress: [{ from: [{ block: '0.0.0.0/0' }] }] }),
    policy({ name: 'plain', ingress: [] }),
  ];
  const first = enforcer.enforced(cluster({ pods: [web], policies: [around, plain] })).policies;
  const second = enforcer.enforced(cluster({ pods: [web], policies: [around, plain] })).policies;
  expect(second[0]).toBe(first[0]);
  expect(second[1]).toBe(plain);
  const foreign = pod({ name: 'foreign', ip: '192.0.2.7' });
  const third = cluster({ pods: [web, foreign], policies: [around, plain] });
  expect(enforcer.enforced(third).policies[0]).not.toBe(first[0]);
  expect(compile(enforcer.enforced(third)).explain(connection(foreign, web, '80')).allowed).toBe(false);
});

/** The policies without their blocks in each direction whose other end is a pod's or a node's address. */
function withoutBlocks(given: Cluster, { source, destination }: Connection): Cluster {
  const inside = new Set(
    given.pods.flatMap(({ addresses, nodeAddresses }) => [...addresses, ...nodeAddresses]).map(({ text }) => text),
  );
  const side = (all: PolicySide, far: IpAddress): PolicySide =>
    all.kind === 'ignored' || !inside.has(far.text)
      ? all
      : {
          kind: 'isolates',
          rules: all.rules.flatMap((rule) => {
            if (rule.peers.kind === 'any') return [rule];
            const peers = rule.peers.peers.filter(({ kind }) => kind === 'pods');
            return peers.length === 0 ? [] : [{ ...rule, peers: { kind: 'list', peers } }];
          }),
        };
  const policies = given.policies.map((each): NetworkPolicy => ({
    ...each,
    egress: side(each.egress, destination),
    ingress: side(each.ingress, source),
  }));
  return { ...given, policies };
}
