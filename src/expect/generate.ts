import type { Cluster } from '../model/cluster.ts';
import { fixedEndOf, type FixedEnd } from '../model/fixed-end.ts';
import { isEndpoint, podKey, workloadName, type Pod } from '../model/pod.ts';
import type { PortSpec } from '../model/question.ts';
import { compile } from '../table/compile.ts';
import { reachOf } from '../table/reach.ts';
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
  const workloads = [...Map.groupBy(cluster.pods.filter(isEndpoint), workloadName)].map(([name, pods]): Workload => {
    return { name, pods: pods.map((pod) => ({ pod, key: podKey(pod), end: fixedEndOf(pod) })) };
  });
  yield '# Who reaches whom, as it was when this was written.\n';
  let isEmpty = true;
  for (const to of workloads) {
    for (const [port, { spec, servers }] of portsOf(to)) {
      const target: Target = { ...to, port, servers, reachedFrom: (end, own) => reaches(end, own, spec) };
      const rows = workloads.flatMap((from) => rowsBetween(from, target));
      if (rows.length === 0) continue;
      isEmpty = false;
      yield rows.map(rowText).join('');
    }
  }
  if (isEmpty) yield '[]\n';
}

interface Workload {
  readonly name: string;
  readonly pods: readonly Subject[];
}

interface Subject {
  readonly pod: Pod;
  readonly key: string;
  readonly end: FixedEnd;
}

/** A workload at one port, and those of its pods that serve it. */
interface Target extends Workload {
  readonly port: string;
  readonly servers: ReadonlySet<Subject>;
  readonly reachedFrom: (source: FixedEnd, destination: FixedEnd) => boolean | undefined;
}

/** One row where all pairs agree, else one a pair. */
function rowsBetween(from: Workload, { port, servers, reachedFrom, ...to }: Target): Row[] {
  const rows: Row[] = [];
  let possible = 0;
  for (const source of from.pods) {
    for (const destination of to.pods) {
      if (source === destination) continue;
      possible += 1;
      const passes = reachedFrom(source.end, destination.end);
      // That nobody answers where nobody listens says nothing.
      if (passes === undefined || (!passes && !servers.has(destination))) continue;
      rows.push({ from: source.key, to: destination.key, port, verdict: passes ? 'allow' : 'deny' });
    }
  }
  const [first] = rows;
  const isAlike = rows.length === possible && rows.every(({ verdict }) => verdict === first?.verdict);
  return first && isAlike ? [{ ...first, from: from.name, to: to.name }] : rows;
}

/** The ports that any pod of the workload serves, in words, and which do. */
function portsOf({ pods }: Workload): Map<string, { readonly spec: PortSpec; readonly servers: Set<Subject> }> {
  const ports = new Map<string, { readonly spec: PortSpec; readonly servers: Set<Subject> }>();
  for (const subject of pods) {
    for (const spec of servedPorts(subject.pod)) {
      const known = ports.get(portText(spec));
      if (known) known.servers.add(subject);
      else ports.set(portText(spec), { spec, servers: new Set([subject]) });
    }
  }
  return ports;
}

/** Names of Kubernetes and addresses need no quotes in YAML but for IPv6, and rows have pods alone. */
function rowText({ from, to, port, verdict }: Row): string {
  return `- { from: ${from}, to: ${to}, port: ${port}, verdict: ${verdict} }\n`;
}
