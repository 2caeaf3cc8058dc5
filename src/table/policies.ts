import { DIRECTIONS, type Direction, type NetworkPolicy, type Rule } from '../model/policy.ts';
import type { Labels } from '../model/selector.ts';
import type { CidrClasses } from './cidr-classes.ts';
import { CompiledRule } from './rule.ts';
import type { PortSets } from './port-sets.ts';
import type { Rows } from './rows.ts';
import type { Selections } from './selections.ts';
import type { Identity, Block, Column, Selection, PolicyState, RuleState } from './table-state.ts';

/** The parts of the table that policies act on. */
export interface PolicyGround {
  readonly cidrs: CidrClasses;
  readonly addBlock: (block: Block) => void;
  readonly removeBlock: (block: Block) => void;
  readonly portSets: PortSets;
  readonly rows: Rows;
  readonly selections: Selections;
}

/**
 * The policies, and which rows depend on them. A policy that selects no subject of the table is only
 * watched: its rules, blocks and ports cost nothing.
 */
export class Policies {
  readonly #ground: PolicyGround;
  readonly #states = new Map<string, PolicyState>();
  /** Those with a rule for named ports of any peer: every pod with named ports is a peer of its own to them. */
  readonly #namedOfAny = new Set<PolicyState>();
  #unassigned = new Set<Identity>();
  #nextId = 0;

  constructor(ground: PolicyGround) {
    this.#ground = ground;
  }

  all(): Iterable<PolicyState> {
    return this.#states.values();
  }

  get(key: string): PolicyState | undefined {
    return this.#states.get(key);
  }

  /** Adds a policy, or changes the one of this key. */
  set(key: string, policy: NetworkPolicy, order: number): void {
    const { selections, rows } = this.#ground;
    const subjects = selections.own(policy.namespace, policy.podSelector);
    let state = this.#states.get(key);
    if (!state) {
      state = {
        key,
        id: this.#nextId++,
        policy,
        order,
        subjects,
        rules: { egress: undefined, ingress: undefined },
        rows: new Set(),
      };
      this.#states.set(key, state);
      subjects.subjectOf.add(state);
      this.#activate(state);
      this.#reassign(subjects);
      return;
    }
    const before = { subjects: state.subjects, kind: kindOf(state), rules: rulesOf(state) };
    state.policy = policy;
    state.subjects = subjects;
    subjects.subjectOf.add(state);
    this.#activate(state); // before its old rules are let go, so that what they share with the new stays
    this.#dropRules(state, before.rules);
    if (before.subjects !== subjects) this.#leaveSubjects(state, before.subjects);
    if (before.subjects !== subjects || before.kind !== kindOf(state)) {
      this.#reassign(before.subjects);
      this.#reassign(subjects);
    }
    for (const row of state.rows) rows.touch(row, 'all');
  }

  /** @returns false if there is no such policy. */
  remove(key: string): boolean {
    const state = this.#states.get(key);
    if (!state) return false;
    this.#states.delete(key);
    const rules = rulesOf(state);
    state.rules.egress = state.rules.ingress = undefined;
    this.#reassign(state.subjects);
    this.#dropRules(state, rules);
    this.#leaveSubjects(state, state.subjects);
    this.#namedOfAny.delete(state);
    return true;
  }

  addIdentity(identity: Identity): void {
    this.#ground.selections.add(identity);
    this.#unassigned.add(identity);
    if (!identity.isSubject) return;
    for (const { subjectOf } of identity.selections) {
      for (const state of subjectOf) if (!isActive(state)) this.#activate(state);
    }
  }

  removeIdentity(identity: Identity): void {
    const selections = [...identity.selections];
    this.#ground.selections.remove(identity);
    this.#unassigned.add(identity);
    if (!identity.isSubject) return;
    for (const { subjectOf, members } of selections) {
      if (hasSubject(members)) continue;
      for (const state of subjectOf) {
        const rules = rulesOf(state);
        state.rules.egress = state.rules.ingress = undefined;
        this.#dropRules(state, rules);
      }
    }
  }

  /** Gives a namespace other labels. */
  namespaceChanged(name: string, labels: Labels): void {
    for (const { selection, identities } of this.#ground.selections.setNamespace(name, labels)) {
      const columns = identities.flatMap((identity) => [...identity.columns]);
      for (const state of selection.peerOf.keys()) this.#touch(state, columns);
    }
  }

  /** Says that a column is new or gone. */
  columnChanged(column: Column): void {
    const { identity, cidrClass } = column;
    for (const { users } of cidrClass.covering) for (const state of users.keys()) this.#touch(state, [column]);
    if (!identity) return;
    for (const selection of identity.selections) {
      selection.columns = undefined;
      for (const state of selection.peerOf.keys()) this.#touch(state, [column]);
    }
    if (identity.portNames.ports.size > 0) for (const state of this.#namedOfAny) this.#touch(state, [column]);
  }

  /** Gives identities the rows of the policies that isolate them. @returns those that have others now. */
  assignRows(): Identity[] {
    const changed: Identity[] = [];
    for (const identity of this.#unassigned) {
      let isChanged = false;
      for (const direction of DIRECTIONS) isChanged = this.#assignRow(identity, direction) || isChanged;
      if (isChanged) changed.push(identity);
    }
    this.#unassigned = new Set();
    return changed;
  }

  #assignRow(identity: Identity, direction: Direction): boolean {
    const { rows } = this.#ground;
    const before = identity.rows[direction];
    const policies: PolicyState[] = [];
    for (const { subjectOf } of identity.isSubject ? identity.selections : []) {
      for (const state of subjectOf) if (state.rules[direction]) policies.push(state);
    }
    policies.sort((one, other) => one.id - other.id);
    const after = policies.length === 0 ? undefined : rows.acquire(direction, policies, identity.portNames);
    identity.rows[direction] = after;
    if (before) rows.release(before);
    return before !== after;
  }

  #touch(state: PolicyState, columns: readonly Column[]): void {
    for (const row of state.rows) this.#ground.rows.touch(row, columns);
  }

  #reassign({ members }: Selection): void {
    for (const identity of members) if (identity.isSubject) this.#unassigned.add(identity);
  }

  #leaveSubjects(state: PolicyState, subjects: Selection): void {
    subjects.subjectOf.delete(state);
    this.#ground.selections.dropIfUnused(subjects);
  }

  /** Gives the policy its rules, if it has subjects. */
  #activate(state: PolicyState): void {
    const { policy, subjects, rules } = state;
    const active = hasSubject(subjects.members);
    for (const direction of DIRECTIONS) {
      const side = policy[direction];
      rules[direction] =
        active && side.kind === 'isolates' ? side.rules.map((rule) => this.#makeRule(state, rule)) : undefined;
    }
    if (rules.egress?.some(({ matchesAny, isNamed }) => matchesAny && isNamed)) this.#namedOfAny.add(state);
    else this.#namedOfAny.delete(state);
  }

  #makeRule(state: PolicyState, rule: Rule): RuleState {
    const { cidrs, selections, portSets, addBlock } = this.#ground;
    const peers: { selections: Selection[]; blocks: Block[] } = { selections: [], blocks: [] };
    for (const peer of rule.peers.kind === 'any' ? [] : rule.peers.peers) {
      if (peer.kind === 'block') {
        peers.blocks.push(cidrs.acquire(peer, state, addBlock));
        continue;
      }
      const selection = selections.ofPeer(peer, state.policy.namespace);
      selection.peerOf.set(state, (selection.peerOf.get(state) ?? 0) + 1);
      peers.selections.push(selection);
    }
    return new CompiledRule(rule, peers, portSets);
  }

  #dropRules(state: PolicyState, rules: readonly RuleState[]): void {
    for (const { selections, blocks } of rules) {
      for (const selection of selections) {
        const left = (selection.peerOf.get(state) ?? 0) - 1;
        if (left > 0) selection.peerOf.set(state, left);
        else selection.peerOf.delete(state);
        this.#ground.selections.dropIfUnused(selection);
      }
      for (const block of blocks) if (this.#ground.cidrs.release(block, state)) this.#ground.removeBlock(block);
    }
  }
}

function isActive({ rules }: PolicyState): boolean {
  return rules.egress !== undefined || rules.ingress !== undefined;
}

function hasSubject(members: ReadonlySet<Identity>): boolean {
  for (const { isSubject } of members) if (isSubject) return true;
  return false;
}

function rulesOf({ rules }: PolicyState): RuleState[] {
  return [...(rules.egress ?? []), ...(rules.ingress ?? [])];
}

/** What the rows of a policy's subjects go by, beside their content. */
function kindOf({ rules }: PolicyState): string {
  const isNamed = rules.ingress?.some((rule) => rule.isNamed) ?? false;
  return [rules.egress !== undefined, rules.ingress !== undefined, isNamed].join();
}
