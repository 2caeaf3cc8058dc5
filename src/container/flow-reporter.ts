import type { FlowRecord } from '../dataplane/flow-record.ts';
import type { DirectionReport } from '../flows/flow-event.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Connection, Verdict } from '../model/verdict.ts';
import type { IpAddress } from '../net/ip.ts';
import { parsePort } from '../net/port.ts';
import { directionReport } from '../report/verdict-report.ts';
import { compile } from '../table/compile.ts';
import type { TableOptions } from '../table/live-table.ts';
import type { JudgedFlow } from './messages.ts';

// Records of a table come at most a few milliseconds after the next table is in force.
const CLUSTERS_KEPT = 16;
const REPORTS_KEPT = 2_000;

/** Says which policies and rules decided what the gate of one pod has judged. */
export class FlowReporter {
  readonly #own: ReadonlySet<string>;
  readonly #options: TableOptions;
  readonly #clusters = new Map<number, Cluster>();
  readonly #explain = new Map<number, (connection: Connection) => Verdict>();
  readonly #reports = new Map<string, DirectionReport>();

  /** @param addresses the pod's own. @param options those that its tables are made with. */
  constructor(addresses: readonly IpAddress[], options: TableOptions) {
    this.#own = new Set(addresses.map(({ text }) => text));
    this.#options = options;
  }

  /** Tells what the gate's table of that version is of, before the gate gets it. */
  addTable(version: number, cluster: Cluster): void {
    this.#clusters.set(version, cluster);
    this.#clusters.delete(version - CLUSTERS_KEPT);
    this.#explain.delete(version - CLUSTERS_KEPT);
  }

  /** The flows, each from this pod's side: as its egress if it comes from it. */
  reports(records: readonly FlowRecord[]): JudgedFlow[] {
    return records.flatMap((record): JudgedFlow[] => {
      const side = this.#own.has(record.source.text) ? 'egress' : 'ingress';
      const report = this.#report(record, side);
      if (!report) return [];
      const { timeMs, source, destination, transport, sourcePort, destinationPort } = record;
      const ends = { source: source.text, destination: destination.text, sourcePort, port: destinationPort };
      return [{ timeMs, ...ends, protocol: transport, side, report }];
    });
  }

  #report(record: FlowRecord, side: JudgedFlow['side']): DirectionReport | undefined {
    const { source, destination, transport, destinationPort, tableVersion } = record;
    const key = `${tableVersion} ${side} ${source.text} ${destination.text} ${transport} ${destinationPort}`;
    const known = this.#reports.get(key);
    if (known) return known;
    const explain = this.#explainAt(tableVersion);
    if (!explain) return undefined;
    if (this.#reports.size >= REPORTS_KEPT) this.#reports.clear();
    const verdict = explain({ source, destination, transport, port: parsePort(destinationPort) ?? 0 });
    const report = directionReport(verdict[side]);
    this.#reports.set(key, report);
    return report;
  }

  /** Made when the first flow asks for it: most versions are never asked about. */
  #explainAt(version: number): ((connection: Connection) => Verdict) | undefined {
    const known = this.#explain.get(version);
    if (known) return known;
    const cluster = this.#clusters.get(version);
    if (!cluster) return undefined;
    const table = compile(cluster, this.#options);
    const explain = (connection: Connection): Verdict => table.explain(connection);
    this.#explain.set(version, explain);
    return explain;
  }
}
