import type { Rule } from '../model/policy.ts';
import { getOrMake } from './get-or-make.ts';
import { portName } from './identities.ts';
import type { PortRange } from './port-classes.ts';
import { PortSets } from './port-sets.ts';
import { columnsOf } from './selections.ts';
import type { PortNames, Block, Column, Selection, RuleState } from './table-state.ts';

/** A rule, its peers found. */
export class CompiledRule implements RuleState {
  readonly rule: Rule;
  /** Both empty for a rule that matches any peer. */
  readonly selections: readonly Selection[];
  readonly blocks: readonly Block[];
  /** Whether what its ports are depends on the destination pod. */
  readonly isNamed: boolean;
  readonly #portSets: PortSets;
  readonly #fixed: number;
  readonly #named = new Map<PortNames | undefined, number>();

  constructor(rule: Rule, peers: Pick<RuleState, 'selections' | 'blocks'>, portSets: PortSets) {
    this.rule = rule;
    this.selections = peers.selections;
    this.blocks = peers.blocks;
    this.#portSets = portSets;
    this.isNamed = rule.ports.kind === 'list' && rule.ports.ports.some(({ port }) => port.kind === 'named');
    this.#fixed = this.#portsWith(undefined);
  }

  get matchesAny(): boolean {
    return this.rule.peers.kind === 'any';
  }

  /** The port set that it allows where the destination has these port names. */
  ports(names: PortNames | undefined): number {
    if (!this.isNamed || !names) return this.#fixed;
    return getOrMake(this.#named, names, () => this.#portsWith(names));
  }

  /** Whether its peers, if they are a list, match the column. */
  matches({ identity, cidrClass }: Column): boolean {
    return (
      (identity !== undefined && this.selections.some(({ members }) => members.has(identity))) ||
      this.blocks.some((block) => block.classes.has(cidrClass))
    );
  }

  /** Calls back with indices of the columns that its peers match, with some of them maybe more than once. Cost: as many. */
  eachColumn(each: (column: number) => void): void {
    for (const selection of this.selections) for (const column of columnsOf(selection)) each(column);
    for (const { classes } of this.blocks) {
      for (const { columns } of classes) for (const { index } of columns.values()) each(index);
    }
  }

  #portsWith(names: PortNames | undefined): number {
    const { ports } = this.rule;
    if (ports.kind === 'any') return PortSets.all;
    const ranges = ports.ports.flatMap(({ protocol, port }): PortRange[] => {
      switch (port.kind) {
        case 'any':
          return [{ protocol, first: 0, last: 65535 }];
        case 'range':
          return [{ protocol, first: port.first, last: port.last }];
        case 'named': {
          const number = names?.ports.get(portName(protocol, port.name));
          return number === undefined ? [] : [{ protocol, first: number, last: number }];
        }
      }
    });
    return this.#portSets.of(ranges);
  }
}
