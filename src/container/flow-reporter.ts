import type { FlowRecord } from '../dataplane/flow-record.ts';
import type { CarriedFlow } from '../dataplane/relay/carried-flow.ts';
import type { DirectionReport } from '../flows/flow-event.ts';
import { PerSecond } from '../flows/per-second.ts';
import { RULES_A_SECOND } from '../lab/flow-recorder.ts';
import type { Cluster } from '../model/cluster.ts';
import { isEndpoint, podKey, type Pod } from '../model/pod.ts';
import { selects } from '../model/selector.ts';
import type { IpAddress } from '../net/ip.ts';
import { parsePort } from '../net/port.ts';
import { directionReport, nearestOf } from '../report/verdict-report.ts';
import { explain, type Explained } from '../table/explain.ts';
import { missCost, nearMisses } from '../table/near-miss.ts';
import type { JudgedFlow } from './messages.ts';

// Records of a table come at most a few milliseconds after the next table is in force.
const CLUSTERS_KEPT = 16;
const REPORTS_KEPT = 2_000;

type JudgedConnection = Pick<
  FlowRecord,
  'timeMs' | 'source' | 'destination' | 'transport' | 'destinationPort' | 'tableVersion'
>;

/** Says which policies and rules decided what the gate of one pod has judged. */
export class FlowReporter {
  readonly #own: ReadonlySet<string>;
  readonly #key: string;
  readonly #clusters = new Map<number, Cluster>();
  readonly #explained = new Map<number, Explained>();
  readonly #reports = new Map<string, DirectionReport>();
  readonly #rules = new PerSecond(RULES_A_SECOND);
  #newest = 0;

  /** @param key the pod's own, NAMESPACE/NAME. @param addresses the pod's own. */
  constructor(key: string, addresses: readonly IpAddress[]) {
    this.#own = new Set(addresses.map(({ text }) => text));
    this.#key = key;
  }

  /** Tells what the gate's table of that version is of, before the gate gets it. */
  addTable(version: number, cluster: Cluster): void {
    this.#newest = version;
    this.#clusters.set(version, cluster);
    this.#clusters.delete(version - CLUSTERS_KEPT);
    this.#explained.delete(version - CLUSTERS_KEPT);
  }

  /** The flows, each from this pod's side: as its egress if it comes from it. */
  reports(records: readonly FlowRecord[]): JudgedFlow[] {
    return records.flatMap((record): JudgedFlow[] => {
      const side = this.#own.has(record.source.text) ? 'egress' : 'ingress';
      const report = this.#report(record, side);
      if (!report) return [];
      const { timeMs, source, destination, transport, sourcePort, destinationPort } = record;
      const ends = { source: source.text, destination: destination.text, sourcePort, port: destinationPort };
      return [{ timeMs, ...ends, protocol: transport, side, report, carried: null }];
    });
  }

  /** The ends of flows from this pod, with what the newest table says of them. */
  ends(flows: readonly CarriedFlow[]): JudgedFlow[] {
    return flows.flatMap(({ startMs, source, destination, transport, sourcePort, destinationPort, ...carried }) => {
      const timeMs = startMs + carried.durationMs;
      const connection = { timeMs, source, destination, transport, destinationPort, tableVersion: this.#newest };
      const report = this.#report(connection, 'egress');
      if (!report) return [];
      const ends = { source: source.text, destination: destination.text, sourcePort, port: destinationPort };
      return [{ timeMs, ...ends, protocol: transport, side: 'egress' as const, report, carried }];
    });
  }

  #report(record: JudgedConnection, side: JudgedFlow['side']): DirectionReport | undefined {
    const { timeMs, source, destination, transport, destinationPort, tableVersion } = record;
    const key = `${tableVersion} ${side} ${source.text} ${destination.text} ${transport} ${destinationPort}`;
    const known = this.#reports.get(key);
    if (known) return known;
    const explained = this.#explainedAt(tableVersion);
    if (!explained) return undefined;
    if (this.#reports.size >= REPORTS_KEPT) this.#reports.clear();
    const connection = { source, destination, transport, port: parsePort(destinationPort) ?? 0 } as const;
    const verdict = explain(explained, connection);
    const report = directionReport(verdict[side]);
    const cluster = this.#clusters.get(tableVersion);
    const isDenied = cluster !== undefined && report.verdict === 'deny';
    if (isDenied && !this.#rules.take(missCost(verdict), timeMs)) return report; // not kept: the next one may have it
    const complete = isDenied ? nearestOf(report, side, nearMisses(cluster, connection, verdict)) : report;
    this.#reports.set(key, complete);
    return complete;
  }

  /** Made when the first flow asks for it: most versions are never asked about. */
  #explainedAt(version: number): Explained | undefined {
    const known = this.#explained.get(version);
    const cluster = this.#clusters.get(version);
    if (known || !cluster) return known;
    const made = explainedOf(cluster, this.#key);
    this.#explained.set(version, made);
    return made;
  }
}

/** The cluster as one pod's proxy judges by it: no other pod is isolated. Cost: a look at each pod and policy. */
function explainedOf({ pods, policies, namespaces }: Cluster, key: string): Explained {
  const byAddress = new Map(
    pods.filter(isEndpoint).flatMap((pod) => pod.addresses.map(({ text }): [string, Pod] => [text, pod])),
  );
  const self = pods.find((pod) => podKey(pod) === key);
  const own = policies.filter(
    ({ namespace, podSelector }) => namespace === self?.namespace && selects(podSelector, self.labels),
  );
  return {
    podAt: ({ text }) => byAddress.get(text),
    isolating: ({ text }, direction) =>
      byAddress.get(text) === self ? own.filter((policy) => policy[direction].kind === 'isolates') : [],
    namespaceLabels: (name) => namespaces.get(name)?.labels ?? new Map(),
  };
}
