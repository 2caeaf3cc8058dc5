import type { Cluster } from '../model/cluster.ts';
import { podsOf, type Endpoint } from '../model/endpoint.ts';
import { LabError } from '../model/lab-error.ts';
import { isFinished } from '../model/pod.ts';
import { toEveryConnection, type Answers } from '../model/question.ts';
import type { Expectation } from './expectation-file.ts';

/** One connection of an expectation: from one pod or address to one, or to one pod behind a Service. */
export interface ExpectedPair extends Pick<Answers, 'byFamily'> {
  readonly from: Endpoint;
  readonly to: Endpoint;
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
      const answers = toEveryConnection(cluster, { from, to, transport: protocol, port });
      if ('kind' in answers) throw new LabError('usage', `${file}:${line} ${answers.message}`);
      return answers.map(({ byFamily }) => ({ from, to, byFamily }));
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
