import { z } from 'zod';
import type { Cluster } from '../../model/cluster.ts';
import { parseEndpoint, podsOf } from '../../model/endpoint.ts';
import { LabError } from '../../model/lab-error.ts';
import { podKey, type Pod } from '../../model/pod.ts';

/** The body of the verb exec-target: where a command is to run. */
export const EXEC_TARGET_BODY = z.object({ namespace: z.string(), pod: z.string() });

/** A pod to find. `pod` is its name or KIND/NAME of its workload; `lab` is named in errors. */
export interface PodReference {
  readonly lab: string;
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly pod: string;
}

/**
 * The first running pod that the reference means, as `running` knows it.
 * @param running gives undefined for a pod that does not run.
 * @throws LabError usage if there is none.
 */
export function runningPod<Found>(
  { lab, cluster, namespace, pod }: PodReference,
  running: (pod: Pod) => Found | undefined,
): Found {
  const text = `${namespace}/${pod}`;
  const endpoint = parseEndpoint(text);
  if (!endpoint || endpoint.kind === 'address') {
    throw new LabError('usage', `"${pod}" is no pod: write a pod's name or KIND/NAME`);
  }
  const pods = podsOf(cluster, endpoint);
  for (const each of pods) {
    const found = running(each);
    if (found !== undefined) return found;
  }
  const [first] = pods;
  if (first) throw new LabError('usage', `pod ${podKey(first)} does not run (${first.phase})`);
  const elsewhere = cluster.pods.find(({ name }) => name === pod);
  const hint = elsewhere
    ? `there is ${podKey(elsewhere)}: add -n ${elsewhere.namespace}`
    : 'see "netpol-lab get pods -A"';
  throw new LabError('usage', `no pod ${text} in lab ${lab}; ${hint}`);
}
