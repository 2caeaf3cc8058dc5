import type { VerdictReport } from '../flows/flow-event.ts';
import type { Cluster } from '../model/cluster.ts';
import { endpointText, podsOf, type Endpoint } from '../model/endpoint.ts';
import { toConnections } from '../model/question.ts';
import { allows, type Verdict } from '../model/verdict.ts';
import { verdictReport } from '../report/verdict-report.ts';
import { compile } from '../table/compile.ts';
import { questionVerdict } from '../table/family-verdict.ts';
import type { PolicyTable } from '../table/policy-table.ts';
import type { Reading, RecordedFlow } from './recorded-flow.ts';

/** Flows of one kind that would be judged otherwise. `verdict` is what they would get. */
export interface FlowChange extends VerdictReport {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
  readonly count: number;
  readonly firstLine: number;
}

/** Lines that were not judged, and why. */
export interface Unjudged {
  readonly reason: string;
  readonly count: number;
  readonly firstLine: number;
}

/** What a replay found. `judged` is the number of lines that were compared. */
export interface ReplayReport {
  readonly judged: number;
  readonly unchanged: number;
  readonly newlyDenied: number;
  readonly newlyAllowed: number;
  readonly changes: readonly FlowChange[];
  readonly unjudged: readonly Unjudged[];
}

/** Judges recorded flows by the policies of a cluster. What is not known there is counted, never guessed. */
export class Replay {
  readonly #table: PolicyTable;
  readonly #changes = new Map<string, FlowChange>();
  readonly #unjudged = new Map<string, Unjudged>();
  #judged = 0;

  constructor(cluster: Cluster) {
    this.#table = compile(cluster);
  }

  add(reading: Reading, line: number): void {
    const problem = reading.kind === 'flow' ? this.#judge(reading.flow, line) : reading.reason;
    if (problem === undefined) this.#judged += 1;
    else count(this.#unjudged, problem, () => ({ reason: problem, count: 0, firstLine: line }));
  }

  report(): ReplayReport {
    const changes = [...this.#changes.values()].sort(
      (one, other) => rank(one) - rank(other) || other.count - one.count,
    );
    const sum = (verdict: string): number =>
      changes.filter((change) => change.verdict === verdict).reduce((total, change) => total + change.count, 0);
    const [newlyDenied, newlyAllowed] = [sum('deny'), sum('allow')];
    const unchanged = this.#judged - newlyDenied - newlyAllowed;
    return {
      judged: this.#judged,
      unchanged,
      newlyDenied,
      newlyAllowed,
      changes,
      unjudged: [...this.#unjudged.values()],
    };
  }

  /** @returns why it cannot be judged. */
  #judge(
    { from: fromEnds, to: toEnds, transport, port, verdict, seenAt }: RecordedFlow,
    line: number,
  ): string | undefined {
    const { cluster } = this.#table;
    const [from, to] = [known(cluster, fromEnds), known(cluster, toEnds)];
    if (!from || !to) return `not in the manifests: ${textOf(from ? toEnds : fromEnds)}`;
    if (verdict === null) return 'no verdict to compare with';
    const answers = toConnections(cluster, { from, to, transport, port });
    if (answers.kind === 'problem') return answers.message;
    const { verdict: now } = questionVerdict(this.#table, answers);
    if (verdict === (isAllowed(now, verdict === 'allow' ? seenAt : null) ? 'allow' : 'deny')) return undefined;
    const ends = { from: endpointText(from), to: endpointText(to), protocol: transport, port };
    count(this.#changes, JSON.stringify([verdict, ends]), (): FlowChange => ({
      ...ends,
      ...verdictReport(now),
      verdict: verdict === 'allow' ? 'deny' : 'allow',
      count: 0,
      firstLine: line,
    }));
    return undefined;
  }
}

/** The first of the names that the manifests have; an address always does. */
function known(cluster: Cluster, ends: readonly Endpoint[]): Endpoint | undefined {
  return ends.find((end) => end.kind === 'address' || podsOf(cluster, end).length > 0);
}

function isAllowed(verdict: Verdict, seenAt: RecordedFlow['seenAt']): boolean {
  return seenAt === null ? verdict.allowed : allows(verdict[seenAt]);
}

function textOf([first]: readonly Endpoint[]): string {
  return first ? endpointText(first) : '';
}

function count<Entry extends { readonly count: number }>(
  entries: Map<string, Entry>,
  key: string,
  make: () => Entry,
): void {
  const entry = entries.get(key) ?? make();
  entries.set(key, { ...entry, count: entry.count + 1 });
}

function rank({ verdict }: FlowChange): number {
  return verdict === 'deny' ? 0 : 1;
}
