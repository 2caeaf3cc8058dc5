import type { NetworkPolicy, Ports, Rule } from '../model/policy.ts';
import { getOrMake } from './get-or-make.ts';
import { portName, type Identity, type PortNames } from './identities.ts';
import type { PortRange } from './port-classes.ts';
import { PortSets } from './port-sets.ts';

/** Whether what the rule's ports are depends on the destination pod. */
export function usesPortNames({ ports }: Rule): boolean {
  return ports.kind === 'list' && ports.ports.some(({ port }) => port.kind === 'named');
}

/** Ranges of a rule's ports where the destination has these port names; none is for an address that is no pod's. */
function rangesOf(ports: Exclude<Ports, { kind: 'any' }>, names: PortNames | undefined): PortRange[] {
  return ports.ports.flatMap(({ protocol, port }) => {
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
}

/** Every range that a rule of the policies can come to: the bounds that tell ports apart. */
export function* allRanges(policies: readonly NetworkPolicy[], identities: readonly Identity[]): Generator<PortRange> {
  const allNames = new Set(identities.map(({ portNames }) => portNames));
  for (const { ingress, egress } of policies) {
    for (const side of [ingress, egress]) {
      for (const rule of side.kind === 'isolates' ? side.rules : []) {
        if (rule.ports.kind === 'any') continue;
        for (const names of usesPortNames(rule) ? allNames : [undefined]) yield* rangesOf(rule.ports, names);
      }
    }
  }
}

/** The port sets that rules allow. Cost: once for each rule and, if it names ports, for each distinct set of port names. */
export class RulePorts {
  readonly #sets: PortSets;
  readonly #known = new Map<Rule, Map<number | undefined, number>>();

  constructor(sets: PortSets) {
    this.#sets = sets;
  }

  /** The set where the destination has these port names. */
  of(rule: Rule, names: PortNames | undefined): number {
    const { ports } = rule;
    if (ports.kind === 'any') return PortSets.all;
    const relevant = usesPortNames(rule) ? names : undefined;
    const known = getOrMake(this.#known, rule, () => new Map<number | undefined, number>());
    return getOrMake(known, relevant?.id, () => this.#sets.of(rangesOf(ports, relevant)));
  }
}
