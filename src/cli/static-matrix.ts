import type { Cluster } from '../model/cluster.ts';
import { fixedEndOf } from '../model/fixed-end.ts';
import { isEndpoint, podKey } from '../model/pod.ts';
import type { PortSpec } from '../model/question.ts';
import type { Matrix } from '../report/matrix.ts';
import { compile } from '../table/compile.ts';
import { reachOf } from '../table/reach.ts';

/**
 * Who would reach whom, by any address family, for every pod that policies see. Cost: a decision or two a pair, some
 * 0.1 µs each.
 */
export function staticMatrix(cluster: Cluster, spec: PortSpec): Matrix {
  const reaches = reachOf(compile(cluster).buffer);
  const pods = cluster.pods.filter(isEndpoint);
  const ends = pods.map(fixedEndOf);
  return { pods: pods.map(podKey), allowed: ends.map((from) => ends.map((to) => reaches(from, to, spec) === true)) };
}
