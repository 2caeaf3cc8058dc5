import { describe, expect, test } from 'vitest';
import { compare, type Comparison } from '../../src/diff/compare.ts';
import { grouped, type ChangeGroup, type Side } from '../../src/diff/group.ts';
import type { PortRange } from '../../src/diff/port-cuts.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { isEndpoint, type Pod } from '../../src/model/pod.ts';
import type { Connection } from '../../src/model/verdict.ts';
import type { Family, IpAddress } from '../../src/net/ip.ts';
import { parsePort, PROTOCOLS, type Port, type Transport } from '../../src/net/port.ts';
import { contains, parsePrefix } from '../../src/net/prefix.ts';
import { compile } from '../../src/table/compile.ts';
import { connectionDecider } from '../../src/table/connection-decider.ts';
import { given } from '../builders/given.ts';
import type { PodNotation } from '../builders/pod.ts';
import { build, randomCluster, type PlainCluster } from '../builders/random-cluster.ts';
import { randomConnection } from '../builders/random-connection.ts';
import { randomPolicy } from '../builders/random-policy.ts';
import { Random } from '../builders/random.ts';

const SEED = 20_261_127;
const CLUSTERS = 50;

describe(`the comparison equals that of two full matrices (seeds from ${SEED})`, () => {
  test(`on ${CLUSTERS} random pairs of clusters, at every bound of ports and beside it`, { timeout: 120_000 }, () => {
    const seen = { changed: 0, same: 0 };
    for (let seed = SEED; seed < SEED + CLUSTERS; seed += 1) compareOn(seed, seen);
    expect(seen.changed).toBeGreaterThan(2_000);
    expect(seen.same).toBeGreaterThan(2_000);
  });
});

/** Compares every pair of pods on every port that matters, and random connections from and to elsewhere. */
function compareOn(seed: number, seen: { changed: number; same: number }): void {
  const random = new Random(seed);
  const plain = randomCluster(random);
  const before = build(plain);
  const after = build(mutated(random, plain));
  const comparison = compare({ before, after });
  const index = new ChangeIndex(grouped(comparison.changes), comparison, [before, after]);
  const decide = [before, after].map((each) => connectionDecider(compile(each).buffer));
  const check = (was: Connection, is: Connection, name: string, change: 'allow' | 'deny' | undefined): void => {
    const [old, now] = [decide[0]?.(was) === 0, decide[1]?.(is) === 0];
    const want = old === now ? undefined : now ? 'allow' : 'deny';
    if (want !== change)
      throw new Error(`seed ${seed}: ${name} ${is.port}/${is.transport}: got ${change}, want ${want}`);
    seen[want ? 'changed' : 'same'] += 1;
  };
  const ports = boundsOf(before, after);
  const pairs = comparison.pods.slice(0, 12);
  for (const from of pairs) {
    for (const to of pairs) {
      for (const family of [4, 6] as const) {
        const [was, is] = [endsOf(from.before, to.before, family), endsOf(from.after, to.after, family)];
        if (!was || !is) continue;
        for (const { transport, port } of ports) {
          const change = index.between(from.key, to.key, { transport, port, family });
          check(
            { ...was, transport, port },
            { ...is, transport, port },
            `${from.key} > ${to.key} IPv${family}`,
            change,
          );
        }
      }
    }
  }
  for (let count = 0; count < 100; count += 1) {
    const asked = randomConnection(random, random.chance(0.5) ? before : after);
    if (asked.transport !== 'ICMP' && asked.port === 0) continue; // no connection has it
    const change = index.ofAddresses(asked);
    if (change === 'not compared') continue;
    check(asked, asked, `${asked.source.text} > ${asked.destination.text}`, change);
  }
}

/** The cluster with some policies taken out, changed or added, and now and then a pod or a namespace relabelled. */
function mutated(random: Random, plain: PlainCluster): PlainCluster {
  const namespaces = Object.keys(plain.namespaces);
  const other = randomCluster(random);
  const addresses = build(plain).pods.flatMap((each) => each.addresses);
  // Some of another content under the same name, of which a relabelled pod may meet only one.
  const policies = plain.policies
    .filter(() => random.chance(0.7))
    .map((each, index) => (random.chance(0.2) ? randomPolicy(random, { namespaces, addresses }, index) : each));
  const added = random.list(0, 3, (index) => randomPolicy(random, { namespaces, addresses }, 100 + index));
  const relabelled = (each: PodNotation): PodNotation =>
    random.chance(0.1) ? { ...each, labels: other.pods[0]?.labels ?? {}, ports: other.pods[0]?.ports ?? [] } : each;
  return {
    namespaces: random.chance(0.2) ? { ...plain.namespaces, a: { team: random.pick(['a', 'b']) } } : plain.namespaces,
    pods: random.chance(0.4) ? plain.pods.map(relabelled) : plain.pods,
    policies: [...policies, ...added],
  };
}

interface Asked {
  readonly transport: Transport;
  readonly port: Port | 0;
  readonly family: Family;
}

/** Looks changes up by what a connection is, as a reader of the JSON would. */
class ChangeIndex {
  readonly #groups: readonly ChangeGroup[];
  readonly #owners: ReadonlyMap<string, string>;
  readonly #nodes: ReadonlySet<string>;
  readonly #unknown: ReadonlySet<string>;

  constructor(groups: readonly ChangeGroup[], { pods }: Comparison, clusters: readonly Cluster[]) {
    this.#groups = groups;
    this.#nodes = new Set(
      clusters.flatMap((each) => each.pods.flatMap(({ nodeAddresses }) => nodeAddresses.map(textOf))),
    );
    this.#owners = new Map(
      pods.flatMap(({ key, before, after }) =>
        [...before.addresses, ...after.addresses].map(({ text }) => [text, key] as const),
      ),
    );
    const endpoints = clusters.flatMap((each) => each.pods.filter(isEndpoint).flatMap(({ addresses }) => addresses));
    this.#unknown = new Set(endpoints.map(textOf).filter((text) => !this.#owners.has(text)));
  }

  between(from: string, to: string, asked: Asked): 'allow' | 'deny' | undefined {
    if (from === to) return undefined;
    return this.#find(asked, (side, isFrom) => side.pods.includes(isFrom ? from : to));
  }

  ofAddresses({ source, destination, transport, port }: Connection): 'allow' | 'deny' | 'not compared' | undefined {
    const [from, to] = [source, destination].map((address) => this.#owners.get(address.text));
    if ([source, destination].some(({ text }) => this.#unknown.has(text))) return 'not compared';
    if (from !== undefined && from === to) return undefined;
    const isIn = (side: Side, address: IpAddress, owner: string | undefined): boolean => {
      if (owner !== undefined) return side.pods.includes(owner);
      if (side.nodes.includes(address.text)) return true;
      return (
        side.outside.some((cidr) => contains(given(parsePrefix(cidr), cidr), address)) && !this.#nodes.has(address.text)
      );
    };
    return this.#find({ transport, port, family: source.family }, (side, isFrom) =>
      isFrom ? isIn(side, source, from) : isIn(side, destination, to),
    );
  }

  #find(
    { transport, port, family }: Asked,
    isIn: (side: Side, isFrom: boolean) => boolean,
  ): 'allow' | 'deny' | undefined {
    const found = this.#groups.filter(
      (group) =>
        (group.family === null || group.family === family) &&
        group.ports.some((range) => isWithin(range, transport, port)) &&
        isIn(group.from, true) &&
        isIn(group.to, false),
    );
    if (new Set(found.map(({ verdict }) => verdict)).size > 1) throw new Error('a connection is allowed and denied');
    return found[0]?.verdict;
  }
}

function textOf({ text }: IpAddress): string {
  return text;
}

function isWithin({ protocol, first, last }: PortRange, transport: Transport, port: number): boolean {
  return protocol === transport && first <= port && port <= last;
}

function endsOf(from: Pod, to: Pod, family: Family): Pick<Connection, 'source' | 'destination'> | undefined {
  const [source, destination] = [from, to].map(({ addresses }) => addresses.find((each) => each.family === family));
  return source && destination ? { source, destination } : undefined;
}

/** Ports at which either cluster's policies or pods begin or end something, and those beside them. */
function boundsOf(...clusters: readonly Cluster[]): { transport: Transport; port: Port | 0 }[] {
  const rules = clusters
    .flatMap(({ policies }) => policies.flatMap(({ ingress, egress }) => [ingress, egress]))
    .flatMap((side) => (side.kind === 'isolates' ? side.rules : []))
    .flatMap(({ ports }) => (ports.kind === 'list' ? ports.ports : []));
  const numbers = [
    1,
    65535,
    ...rules.flatMap(({ port }) => (port.kind === 'range' ? [port.first, port.last] : [])),
    ...clusters.flatMap(({ pods }) =>
      pods.flatMap((each) => each.containers.flatMap((c) => c.ports.map((p) => p.port))),
    ),
  ];
  const near = [...new Set(numbers.flatMap((number) => [number - 1, number, number + 1]))];
  const ports = near.flatMap((number) => parsePort(number) ?? []);
  const asked = PROTOCOLS.flatMap((transport) => ports.map((port) => ({ transport, port })));
  return [...asked, { transport: 'ICMP', port: 0 }];
}
