import type { Cluster } from '../model/cluster.ts';
import { fixedEndOf } from '../model/fixed-end.ts';
import { isEndpoint, podKey, workloadName, type Pod } from '../model/pod.ts';
import type { PortSpec } from '../model/question.ts';
import { compile } from '../table/compile.ts';
import { reachOf, type Reach } from '../table/reach.ts';
import { portText, servedPorts } from './served-ports.ts';

/** An expectation as it is written. */
interface Row {
  readonly from: string;
  readonly to: string;
  readonly port: string;
  readonly verdict: 'allow' | 'deny';
}

/**
 * What holds now, as expectations in YAML: who reaches whom on the ports that are served, by workload, and by pod
 * where the pods of a workload differ; an empty list if nothing is served. In chunks, one for each port of a workload.
 * Cost: pairs of pods times ports.
 */
export function* expectationChunks(cluster: Cluster): Generator<string, void> {
  const reaches = reachOf(compile(cluster).buffer);
  const workloads = [...Map.groupBy(cluster.pods.filter(isEndpoint), workloadName)].map(([name, pods]) => ({
    name,
    pods,
  }));
  yield '# Who reaches whom, as it was when this was written.\n';
  let isEmpty = true;
  for (const to of workloads) {
    for (const spec of portsOf(to.pods)) {
      const rows = workloads.flatMap((from) => rowsBetween(from, to, { reaches, spec }));
      if (rows.length === 0) continue;
      isEmpty = false;
      yield rows.map(rowText).join('');
    }
  }
  if (isEmpty) yield '[]\n';
}

interface Workload {
  readonly name: string;
  readonly pods: readonly Pod[];
}

/** One row where all pairs agree, else one a pair. */
function rowsBetween(from: Workload, to: Workload, { reaches, spec }: { reaches: Reach; spec: PortSpec }): Row[] {
  const port = portText(spec);
  const served = new Set(to.pods.filter((pod) => servedPorts(pod).some((each) => portText(each) === port)));
  const rows = from.pods.flatMap((source) =>
    to.pods.flatMap((destination): Row[] => {
      const passes = source === destination ? undefined : reaches(fixedEndOf(source), fixedEndOf(destination), spec);
      // That nobody answers where nobody listens says nothing.
      if (passes === undefined || (!passes && !served.has(destination))) return [];
      return [{ from: podKey(source), to: podKey(destination), port, verdict: passes ? 'allow' : 'deny' }];
    }),
  );
  const [first] = rows;
  const possible = from.pods.length * to.pods.length - (from === to ? from.pods.length : 0);
  const isAlike = rows.length === possible && rows.every(({ verdict }) => verdict === first?.verdict);
  return first && isAlike ? [{ ...first, from: from.name, to: to.name }] : rows;
}

function portsOf(pods: readonly Pod[]): PortSpec[] {
  return [...new Map(pods.flatMap(servedPorts).map((spec) => [portText(spec), spec])).values()];
}

/** Names of Kubernetes and addresses need no quotes in YAML but for IPv6, and rows have pods alone. */
function rowText({ from, to, port, verdict }: Row): string {
  return `- { from: ${from}, to: ${to}, port: ${port}, verdict: ${verdict} }\n`;
}
