import type { Cluster } from '../model/cluster.ts';
import { addressPair, fixedEndOf, type FixedEnd } from '../model/fixed-end.ts';
import { isEndpoint, podKey } from '../model/pod.ts';
import type { PortSpec } from '../model/question.ts';
import type { Matrix } from '../report/matrix.ts';
import { compile } from '../table/compile.ts';
import { connectionDecider } from '../table/connection-decider.ts';

/**
 * Who would reach whom, for every pod that policies see; pods without an address family in common
 * do not. Cost: a decision a pair, about 0.1 µs.
 */
export function staticMatrix(cluster: Cluster, { protocol, port }: PortSpec): Matrix {
  const decide = connectionDecider(compile(cluster).buffer);
  const pods = cluster.pods.filter(isEndpoint);
  const ends = pods.map(fixedEndOf);
  const reaches = (from: FixedEnd, to: FixedEnd): boolean => {
    const pair = addressPair(from, to);
    return pair !== undefined && decide({ ...pair, transport: protocol, port }) === 0;
  };
  return { pods: pods.map(podKey), allowed: ends.map((from) => ends.map((to) => reaches(from, to))) };
}
