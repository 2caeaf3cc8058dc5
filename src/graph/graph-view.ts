import { servedPorts, portText } from '../expect/served-ports.ts';
import type { Cluster } from '../model/cluster.ts';
import { fixedEndOf } from '../model/fixed-end.ts';
import { isEndpoint, type Pod } from '../model/pod.ts';
import type { Direction, NetworkPolicy } from '../model/policy.ts';
import type { PortSpec } from '../model/question.ts';
import { selects } from '../model/selector.ts';
import type { Connection } from '../model/verdict.ts';
import { compile } from '../table/compile.ts';
import { connectionDecider } from '../table/connection-decider.ts';
import { reachOf, type Reach } from '../table/reach.ts';
import type { GraphNode, Grouping } from './graph.ts';

/** Pods that are one node. */
export interface Group {
  readonly node: GraphNode;
  readonly pods: readonly Pod[];
  /** Whether a policy isolates any of them. */
  readonly isTouched: Readonly<Record<Direction, boolean>>;
  /** Each port that any of them serves, and who does. */
  readonly ports: readonly ServedPort[];
}

/** A port and the pods that serve it. */
export interface ServedPort {
  readonly spec: PortSpec;
  readonly pods: readonly Pod[];
}

/** A port that a group reaches on another, from or to some pods only if that is partial. */
export interface ReachedPort {
  readonly spec: PortSpec;
  readonly isPartial: boolean;
}

/** A cluster in groups, and its table. */
export class GraphView {
  readonly cluster: Cluster;
  readonly groups: readonly Group[];
  readonly #decide: (connection: Connection) => number;
  readonly #reaches: Reach;

  constructor(cluster: Cluster, { nameOf, namespaceOf }: Grouping) {
    this.cluster = cluster;
    const { buffer } = compile(cluster);
    this.#decide = connectionDecider(buffer);
    this.#reaches = reachOf(buffer);
    this.groups = [...Map.groupBy(cluster.pods.filter(isEndpoint), nameOf)].map(([name, pods]) => {
      const isolated = (direction: Direction): readonly Pod[] =>
        pods.filter((pod) => this.isolating(pod, direction).length > 0);
      const [ingress, egress] = [isolated('ingress').length, isolated('egress').length];
      const namespace = pods[0] ? namespaceOf(pods[0]) : '';
      const isIsolated = { ingress: ingress === pods.length, egress: egress === pods.length };
      return {
        pods,
        ports: portsOf(pods),
        isTouched: { ingress: ingress > 0, egress: egress > 0 },
        node: { name, namespace, pods: pods.length, isIsolated },
      };
    });
  }

  /** The policies that isolate the pod. */
  isolating(pod: Pod, direction: Direction): NetworkPolicy[] {
    return this.cluster.policies.filter(
      ({ namespace, podSelector, [direction]: side }) =>
        namespace === pod.namespace && side.kind === 'isolates' && selects(podSelector, pod.labels),
    );
  }

  allows(connection: Connection): boolean {
    return this.#decide(connection) === 0;
  }

  /** The ports of `to` that any of the pods reaches on any. Cost: pairs of pods times ports. */
  reached(from: Group, to: Group): ReachedPort[] {
    return to.ports.flatMap(({ spec, pods }) => {
      const pairs = from.pods.flatMap((source) =>
        pods.flatMap((destination) => this.#passes(source, destination, spec)),
      );
      const passing = pairs.filter((passes) => passes).length;
      return passing === 0 ? [] : [{ spec, isPartial: passing < pairs.length }];
    });
  }

  /** Whether it passes; nothing for a pod and itself, and for pods without a common family. */
  #passes(source: Pod, destination: Pod, spec: PortSpec): boolean[] {
    if (source === destination) return [];
    const passes = this.#reaches(fixedEndOf(source), fixedEndOf(destination), spec);
    return passes === undefined ? [] : [passes];
  }
}

function portsOf(pods: readonly Pod[]): ServedPort[] {
  const served = pods.flatMap((pod) => servedPorts(pod).map((spec) => ({ spec, pod })));
  return [...Map.groupBy(served, ({ spec }) => portText(spec)).values()].flatMap((some) => {
    const [first] = some;
    return first ? [{ spec: first.spec, pods: some.map(({ pod }) => pod) }] : [];
  });
}
