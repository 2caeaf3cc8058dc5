import type { FlowEvent, VerdictReport } from '../flows/flow-event.ts';
import type { FlowLog } from '../flows/flow-log.ts';
import { PerSecond } from '../flows/per-second.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Connection } from '../model/verdict.ts';
import type { IpAddress } from '../net/ip.ts';
import { parsePort, type Transport } from '../net/port.ts';
import { stagedReport } from '../report/staged-report.ts';
import { verdictReport, withCaveat, withNearest } from '../report/verdict-report.ts';
import { verdictIn } from '../table/cluster-verdict.ts';
import { compile } from '../table/compile.ts';
import { missCost, nearMisses } from '../table/near-miss.ts';
import type { PolicyTable } from '../table/policy-table.ts';

/** What the gate saw and decided. `tableVersion` counts the tables it was given, from 1. */
interface JudgedPacket {
  readonly timeMs: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly transport: Transport;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly tableVersion: number;
}

type Judgement = Pick<FlowEvent, 'staged'> & VerdictReport;

// Records of a table reach the recorder at most a few milliseconds after the next table is in force.
const TABLES_KEPT = 16;
const REPORTS_KEPT = 10_000; // about 5 MB; one is reused for all connections of the same pair and port
/** How many rules a second are looked at for nearest misses, some microseconds each: a port scan costs no more than that. */
export const RULES_A_SECOND = 20_000;

/** Turns what the gate decided into flow events that name pods, policies and rules. */
export class FlowRecorder {
  readonly #log: FlowLog;
  readonly #clusters = new Map<number, Cluster>(); // that tables were made of
  readonly #staged = new Map<number, Cluster>();
  readonly #earlier = new Map<number, PolicyTable>();
  #current: { readonly version: number; readonly table: PolicyTable } | undefined;
  readonly #rules = new PerSecond(RULES_A_SECOND);
  readonly #reports = new Map<string, Judgement>();
  #names: ReadonlyMap<string, string> = new Map();

  constructor(log: FlowLog) {
    this.#log = log;
  }

  /**
   * Tells which table a version is, before the gate gets it. The table may change with the next version:
   * for packets that were judged before, what it was is compiled again.
   * @param staged the cluster as staged policies would have it.
   */
  setTable(version: number, table: PolicyTable, staged?: Cluster): void {
    this.#current = { version, table };
    this.#clusters.set(version, table.cluster);
    if (staged) this.#staged.set(version, staged);
    for (const known of [this.#clusters, this.#staged, this.#earlier]) known.delete(version - TABLES_KEPT);
  }

  /** Tells who has which address. */
  setNames(names: ReadonlyMap<string, string>): void {
    this.#names = names;
  }

  /** Adds an event to the log. */
  record(packet: JudgedPacket): FlowEvent | undefined {
    const table = this.#tableOf(packet.tableVersion);
    if (!table) return undefined;
    const event: FlowEvent = {
      time: new Date(packet.timeMs).toISOString(),
      from: this.#party(packet.source),
      to: this.#party(packet.destination),
      protocol: packet.transport,
      sourcePort: packet.sourcePort,
      port: packet.destinationPort,
      ...this.#explain(table, packet),
    };
    this.#log.add(event);
    return event;
  }

  #tableOf(version: number): PolicyTable | undefined {
    if (version === this.#current?.version) return this.#current.table;
    const known = this.#earlier.get(version);
    const cluster = this.#clusters.get(version);
    if (known || !cluster) return known;
    const table = compile(cluster);
    this.#earlier.set(version, table);
    return table;
  }

  #party(address: IpAddress): FlowEvent['from'] {
    return { name: this.#names.get(address.text) ?? '', address: address.text };
  }

  #explain(table: PolicyTable, packet: JudgedPacket): Judgement {
    const { source, destination, transport, destinationPort, tableVersion } = packet;
    const key = `${tableVersion} ${source.text} ${destination.text} ${transport} ${destinationPort}`;
    const known = this.#reports.get(key);
    if (known) return known;
    if (this.#reports.size >= REPORTS_KEPT) this.#reports.clear();
    const connection: Connection = { source, destination, transport, port: parsePort(destinationPort) ?? 0 };
    const verdict = table.explain(connection);
    const staged = this.#staged.get(tableVersion);
    const own = withCaveat(verdictReport(verdict), table.cluster);
    const report = { ...own, ...stagedReport(own, staged && verdictIn(staged, connection)) };
    if (!verdict.allowed && !this.#rules.take(missCost(verdict), packet.timeMs)) return report; // not kept: the next one may have it
    const complete = { ...report, ...withNearest(report, nearMisses(table.cluster, connection, verdict)) };
    this.#reports.set(key, complete);
    return complete;
  }
}
