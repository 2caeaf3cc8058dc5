import type { Cluster } from '../model/cluster.ts';
import { podsOf, type Endpoint } from '../model/endpoint.ts';
import { LabError } from '../model/lab-error.ts';
import { isFinished } from '../model/pod.ts';
import { toConnection, type Answer } from '../model/question.ts';
import type { Expectation } from './expectation-file.ts';

/** One connection of an expectation: from one pod or address to one, or to a Service. */
export interface ExpectedPair {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** What it comes to in the cluster. */
  readonly answer: Extract<Answer, { kind: 'connection' }>;
}

/**
 * Every connection that an expectation is about.
 * @throws LabError usage if one of its ends is not there or they cannot connect at all.
 */
export function pairsOf(cluster: Cluster, expectation: Expectation): ExpectedPair[] {
  const { file, line, protocol, port } = expectation;
  const pairs = single(cluster, expectation.from).flatMap((from) =>
    single(cluster, expectation.to).flatMap((to): ExpectedPair[] => {
      if (isSamePod(from, to)) return [];
      const answer = toConnection(cluster, { from, to, transport: protocol, port });
      if (answer.kind === 'problem') throw new LabError('usage', `${file}:${line} ${answer.message}`);
      return [{ from, to, answer }];
    }),
  );
  if (pairs.length === 0)
    throw new LabError('usage', `${file}:${line} the only connection would be of a pod to itself`);
  return pairs;
}

/** Each pod that a workload names; anything else as it is, also what is not there. */
function single(cluster: Cluster, endpoint: Endpoint): readonly Endpoint[] {
  if (endpoint.kind !== 'workload') return [endpoint];
  const pods = podsOf(cluster, endpoint).filter((pod) => !isFinished(pod));
  return pods.length === 0 ? [endpoint] : pods.map(({ namespace, name }) => ({ kind: 'pod', namespace, name }));
}

function isSamePod(one: Endpoint, other: Endpoint): boolean {
  return one.kind === 'pod' && other.kind === 'pod' && one.namespace === other.namespace && one.name === other.name;
}
