import type { Cluster } from '../../src/model/cluster.ts';
import { ip } from './address.ts';
import { cluster, namespace } from './cluster.ts';
import { pod, type PodNotation } from './pod.ts';
import { policy, type PolicyNotation } from './policy.ts';
import { NODES, randomPods } from './random-pods.ts';
import { randomPolicy } from './random-policy.ts';
import type { Random } from './random.ts';

/** A cluster in plain data: what can be printed, made smaller and built again. */
export interface PlainCluster {
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly pods: readonly PodNotation[];
  readonly policies: readonly PolicyNotation[];
}

/** The cluster of that data. */
export function build(plain: PlainCluster): Cluster {
  return cluster({
    namespaces: Object.entries(plain.namespaces).map(([name, labels]) => namespace(name, labels)),
    pods: plain.pods.map(pod),
    policies: plain.policies.map(policy),
  });
}

/** A cluster dense in interesting cases; one in twenty is large enough to have hundreds of address classes. */
export function randomCluster(random: Random): PlainCluster {
  const large = random.chance(0.05);
  const namespaces = ['a', 'b', 'c'].slice(0, random.between(1, 3));
  const pods = randomPods(random, namespaces, large ? random.between(60, 150) : random.between(2, 16));
  const addresses = [...pods.flatMap((each) => each.ip ?? []), ...NODES.flat()].map(ip);
  const ground = { namespaces, addresses };
  return {
    namespaces: Object.fromEntries(namespaces.map((name) => [name, randomNamespaceLabels(random)])),
    pods,
    policies: random.list(0, large ? 30 : 10, (index) => randomPolicy(random, ground, index)),
  };
}

function randomNamespaceLabels(random: Random): Record<string, string> {
  return Object.fromEntries(
    ['team', 'env'].filter(() => random.chance(0.6)).map((key) => [key, random.pick(['a', 'b', 'c'])]),
  );
}
