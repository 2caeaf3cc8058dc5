import type { DirectionReport, PolicyRef } from '../flows/flow-event.ts';
import type { Cluster } from '../model/cluster.ts';
import type { NearMiss } from '../model/near-miss.ts';
import { podKey } from '../model/pod.ts';
import type { Rule } from '../model/policy.ts';
import type { Connection } from '../model/verdict.ts';
import { nearMisses } from '../table/near-miss.ts';
import type { PolicyTable } from '../table/policy-table.ts';

const KNOWN = 2_000; // near misses that are remembered: the same denials come again and again

/** Says where policies are written that proxies name: these do not know. */
export class FlowSources {
  readonly #table: () => PolicyTable;
  readonly #misses = new Map<string, NearMiss>();
  #cluster: Cluster | undefined;

  /** @param table gives the table of the cluster as it is stored. */
  constructor(table: () => PolicyTable) {
    this.#table = table;
  }

  /** The report with files and lines, of policies that are still there. */
  sourced(report: DirectionReport, connection: Connection): DirectionReport {
    if (report.policies.length === 0) return report;
    const { nearest } = report;
    return {
      ...report,
      policies: report.policies.map((policy) => this.#placed(policy)),
      ...(nearest ? { nearest: this.#known(nearest, connection) ?? this.#placed(nearest) } : {}),
    };
  }

  #placed<Reference extends PolicyRef>(reference: Reference): Reference {
    const key = podKey(reference);
    const policy = this.#table().cluster.policies.find((each) => podKey(each) === key);
    if (!policy) return reference;
    const rules = [policy.egress, policy.ingress].flatMap((side): readonly Rule[] =>
      side.kind === 'isolates' ? side.rules : [],
    );
    const rule = reference.rule === null ? undefined : rules.find(({ index }) => index === reference.rule);
    const { file, line } = (rule ?? policy).source;
    return { ...reference, file, line };
  }

  /** The miss as it is here, with its peer's or port's line and the Service behind the mistake, if the policies still miss alike. */
  #known(nearest: NearMiss, connection: Connection): NearMiss | undefined {
    const { cluster } = this.#table();
    if (this.#cluster !== cluster || this.#misses.size >= KNOWN) this.#misses.clear();
    this.#cluster = cluster;
    const { source, destination } = connection;
    const key = `${source.text} ${destination.text} ${contentOf(nearest)}`;
    const known = this.#misses.get(key);
    if (known) return known;
    const misses = nearMisses(cluster, connection, this.#table().explain(connection));
    const same = misses.find((miss) => contentOf(miss) === contentOf(nearest));
    if (same) this.#misses.set(key, same);
    return same;
  }
}

/** What a proxy knows of a miss: not where it is written, and nothing of Services. */
function contentOf({ direction, namespace, name, rule, differences }: NearMiss): string {
  const facts = differences.map((difference) => ({ ...difference, text: '', service: null }));
  return JSON.stringify([direction, namespace, name, rule, facts]);
}
