import type { Direction, NetworkPolicy, Rule } from '../model/policy.ts';
import type { Column } from './address-classes.ts';
import { BlockPool } from './block-pool.ts';
import { getOrMake } from './get-or-make.ts';
import type { Identity } from './identities.ts';
import type { IsolatingPolicy } from './isolation.ts';
import { SHIFT } from './layout.ts';
import { PortSets } from './port-sets.ts';
import type { RuleColumns } from './rule-columns.ts';
import { usesPortNames, type RulePorts } from './rule-ports.ts';

const PAGE = 1 << SHIFT.page;

/** What rows are made from. */
export interface RowSources {
  readonly columns: readonly Column[];
  readonly ruleColumns: RuleColumns;
  readonly rulePorts: RulePorts;
  readonly portSets: PortSets;
}

/** Rows: for each column, the port set that is allowed from or to it. Equal pages and equal rows are stored once. */
export class Rows {
  /** The row of pods that no policy isolates. */
  static readonly notIsolated = 0;

  readonly rows: BlockPool;
  readonly pages = new BlockPool(PAGE);
  readonly #sources: RowSources;
  readonly #known = new Map<string, number>();
  readonly #uniform = new Map<number, number>();
  readonly #cells: Int32Array;
  readonly #row: Int32Array;

  constructor(sources: RowSources) {
    this.#sources = sources;
    const pages = Math.ceil(sources.columns.length / PAGE);
    this.rows = new BlockPool(pages);
    this.#cells = new Int32Array(pages * PAGE);
    this.#row = new Int32Array(pages).fill(this.#uniformPage(PortSets.all));
    this.rows.intern(this.#row);
  }

  /** The row of an identity that these policies isolate. Cost: once for each distinct set of policies, the columns of their rules. */
  of(subject: Identity, direction: Direction, policies: readonly IsolatingPolicy[]): number {
    if (policies.length === 0) return Rows.notIsolated;
    const rules = policies.flatMap(({ policy }) => rulesOf(policy, direction).map((rule) => ({ policy, rule })));
    // Of the subject itself, only its port names can matter, and only where it is the destination.
    const named = direction === 'ingress' && rules.some(({ rule }) => usesPortNames(rule));
    const key = [direction, named ? subject.portNames.id : '', ...policies.map(({ index }) => index)].join(' ');
    return getOrMake(this.#known, key, () => this.#build(subject, direction, rules));
  }

  #build(subject: Identity, direction: Direction, rules: readonly { policy: NetworkPolicy; rule: Rule }[]): number {
    const { columns, ruleColumns, rulePorts, portSets } = this.#sources;
    const ingress = direction === 'ingress';
    let base: number = PortSets.none;
    for (const { rule } of rules) {
      if (rule.peers.kind !== 'any') continue;
      base = portSets.union(base, rulePorts.of(rule, ingress ? subject.portNames : undefined));
    }
    const touched = new Set<number>();
    for (const { policy, rule } of rules) {
      const namesOfPeer = !ingress && usesPortNames(rule);
      const own = rulePorts.of(rule, ingress ? subject.portNames : undefined);
      const matched = rule.peers.kind !== 'any' ? ruleColumns.of(rule, policy.namespace) : ruleColumns.withPortNames;
      if (rule.peers.kind === 'any' && !namesOfPeer) continue;
      for (const column of matched) {
        const page = column >>> SHIFT.page;
        if (!touched.has(page)) this.#cells.fill(base, page * PAGE, (page + 1) * PAGE);
        touched.add(page);
        const ports = namesOfPeer ? rulePorts.of(rule, columns[column]?.identity?.portNames) : own;
        this.#cells[column] = portSets.union(this.#cells[column] ?? PortSets.none, ports);
      }
    }
    this.#row.fill(this.#uniformPage(base));
    for (const page of touched) this.#row[page] = this.pages.intern(this.#cells, page * PAGE);
    return this.rows.intern(this.#row);
  }

  #uniformPage(portSet: number): number {
    return getOrMake(this.#uniform, portSet, () => this.pages.intern(new Int32Array(PAGE).fill(portSet)));
  }
}

function rulesOf(policy: NetworkPolicy, direction: Direction): readonly Rule[] {
  const side = policy[direction];
  return side.kind === 'isolates' ? side.rules : [];
}
