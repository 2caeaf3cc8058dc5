import type { Peers, Rule } from '../model/policy.ts';
import type { Column } from './address-classes.ts';
import type { CidrClasses } from './cidr-classes.ts';
import { getOrMake } from './get-or-make.ts';
import type { Members } from './members.ts';

/** Which columns the peers of rules match. Cost: once for each rule, what it matches. */
export class RuleColumns {
  readonly #members: Members;
  readonly #cidrs: CidrClasses;
  readonly #ofIdentity = new Map<number, number[]>();
  readonly #ofCidrClass = new Map<number, number[]>();
  readonly #answers = new Map<Rule, readonly number[]>();
  /** Columns of pods that have named ports. */
  readonly withPortNames: readonly number[];

  constructor(columns: readonly Column[], members: Members, cidrs: CidrClasses) {
    this.#members = members;
    this.#cidrs = cidrs;
    columns.forEach(({ identity, cidrClass }, column) => {
      if (identity) getOrMake(this.#ofIdentity, identity.id, () => []).push(column);
      getOrMake(this.#ofCidrClass, cidrClass, () => []).push(column);
    });
    this.withPortNames = columns.flatMap(({ identity }, column) => (identity?.portNames.ports.size ? [column] : []));
  }

  /** The columns that a rule of a policy in `namespace` lists; none for a rule that matches any peer. */
  of(rule: Rule, namespace: string): readonly number[] {
    return getOrMake(this.#answers, rule, () => [...this.#find(rule.peers, namespace)]);
  }

  #find(peers: Peers, namespace: string): Set<number> {
    const found = new Set<number>();
    for (const peer of peers.kind === 'any' ? [] : peers.peers) {
      const [classes, columns] =
        peer.kind === 'block'
          ? [this.#cidrs.of(peer), this.#ofCidrClass]
          : [this.#members.ofPeer(peer, namespace), this.#ofIdentity];
      for (const id of classes) for (const column of columns.get(id) ?? []) found.add(column);
    }
    return found;
  }
}
