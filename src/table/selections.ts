import type { PodsPeer } from '../model/policy.ts';
import { selects, type Labels, type Requirement, type Selector } from '../model/selector.ts';
import { getOrMake } from './get-or-make.ts';
import type { Identity, Selection, NamespaceSelection } from './table-state.ts';

const NO_LABELS: Labels = new Map();

/** Which selections in use select which identities. Every selection is evaluated once for each identity that could be in it. */
export class Selections {
  readonly #known = new Map<string, Selection>();
  readonly #namespaceSelections = new Map<string, NamespaceSelection>();
  readonly #bySelector = new Set<NamespaceSelection>();
  readonly #identities = new Map<string, Set<Identity>>(); // by namespace
  readonly #labelled = new Map<string, Map<string, Set<Identity>>>(); // by a label's key and value
  readonly #namespaceLabels = new Map<string, Labels>();

  /** Pods of one namespace. */
  own(namespace: string, pods: Selector): Selection {
    return this.#acquire(`/${namespace}`, pods, () => this.#ownNamespace(namespace));
  }

  /** Pods that a peer of a policy in `namespace` lists. */
  ofPeer({ namespaces, pods }: PodsPeer, namespace: string): Selection {
    if (namespaces.kind === 'own') return this.own(namespace, pods);
    const { selector } = namespaces;
    const key = textOf(selector);
    return this.#acquire(key, pods, () => this.#selectedNamespaces(key, selector));
  }

  /** Forgets the selection if nothing uses it. */
  dropIfUnused(selection: Selection): void {
    if (selection.subjectOf.size > 0 || selection.peerOf.size > 0) return;
    for (const identity of selection.members) identity.selections.delete(selection);
    const { namespaces } = selection;
    namespaces.selections.delete(selection);
    this.#known.delete(selection.key);
    if (namespaces.selections.size > 0) return;
    this.#namespaceSelections.delete(namespaces.key);
    this.#bySelector.delete(namespaces);
  }

  /** Puts a new identity into all selections that select it. Cost: those of its namespace, and all that go by labels of namespaces. */
  add(identity: Identity): void {
    const { namespace, labels } = identity;
    if (!this.#namespaceLabels.has(namespace)) this.setNamespace(namespace, NO_LABELS);
    getOrMake(this.#identities, namespace, () => new Set<Identity>()).add(identity);
    for (const [key, value] of labels) this.#holders(key, value).add(identity);
    const own = this.#namespaceSelections.get(`/${namespace}`);
    for (const namespaces of own ? [own, ...this.#bySelector] : this.#bySelector) {
      if (!namespaces.names.has(namespace)) continue;
      for (const selection of namespaces.selections) this.#judge(selection, identity);
    }
  }

  /** Takes an identity out of all selections. */
  remove(identity: Identity): void {
    this.#identities.get(identity.namespace)?.delete(identity);
    for (const [key, value] of identity.labels) {
      const values = this.#labelled.get(key);
      const holders = values?.get(value);
      holders?.delete(identity);
      if (holders?.size === 0) values?.delete(value);
    }
    for (const selection of identity.selections) selection.members.delete(identity);
    identity.selections.clear();
  }

  /** Gives a namespace labels. @returns the selections that have lost or gained identities, each with these. */
  setNamespace(name: string, labels: Labels): { selection: Selection; identities: Identity[] }[] {
    this.#namespaceLabels.set(name, labels);
    const changed: { selection: Selection; identities: Identity[] }[] = [];
    for (const namespaces of this.#bySelector) {
      const selected = selects(namespaces.selector ?? { requirements: [] }, labels);
      if (selected === namespaces.names.has(name)) continue;
      if (selected) namespaces.names.add(name);
      else namespaces.names.delete(name);
      for (const selection of namespaces.selections) {
        const identities = [...(this.#identities.get(name) ?? [])].filter(({ labels }) =>
          selects(selection.pods, labels),
        );
        for (const identity of identities) {
          if (selected) join(selection, identity);
          else leave(selection, identity);
        }
        if (identities.length > 0) changed.push({ selection, identities });
      }
    }
    return changed;
  }

  #acquire(namespaces: string, pods: Selector, makeNamespaces: () => NamespaceSelection): Selection {
    const key = `${namespaces}\n${textOf(pods)}`;
    return getOrMake(this.#known, key, () => {
      const made: Selection = {
        key,
        namespaces: makeNamespaces(),
        pods,
        members: new Set(),
        subjectOf: new Set(),
        peerOf: new Map(),
        columns: undefined,
      };
      made.namespaces.selections.add(made);
      for (const identity of this.#candidates(made)) {
        if (made.namespaces.names.has(identity.namespace)) this.#judge(made, identity);
      }
      return made;
    });
  }

  #judge(selection: Selection, identity: Identity): void {
    if (selects(selection.pods, identity.labels)) join(selection, identity);
  }

  #ownNamespace(name: string): NamespaceSelection {
    const key = `/${name}`;
    return getOrMake(this.#namespaceSelections, key, () => {
      return { key, selector: undefined, names: new Set([name]), selections: new Set() };
    });
  }

  #selectedNamespaces(key: string, selector: Selector): NamespaceSelection {
    return getOrMake(this.#namespaceSelections, key, () => {
      const names = [...this.#namespaceLabels].flatMap(([name, labels]) => (selects(selector, labels) ? [name] : []));
      const made = { key, selector, names: new Set(names), selections: new Set<Selection>() };
      this.#bySelector.add(made);
      return made;
    });
  }

  /** Identities among which are all members: those of the namespaces, or fewer that have a label it asks for. */
  #candidates({ namespaces, pods }: Selection): Iterable<Identity> {
    const inNamespaces = [...namespaces.names].map((name) => this.#identities.get(name) ?? new Set<Identity>());
    let best = inNamespaces;
    for (const requirement of pods.requirements) {
      const some = this.#meeting(requirement);
      if (some && sizeOf(some) < sizeOf(best)) best = some;
    }
    return best.flatMap((some) => [...some]);
  }

  /** Those that can meet the requirement; undefined if even those without the key do. */
  #meeting({ key, operator, values }: Requirement): Set<Identity>[] | undefined {
    if (operator === 'In') {
      const byValue = this.#labelled.get(key);
      return [...new Set(values)].map((value) => byValue?.get(value) ?? new Set<Identity>());
    }
    if (operator === 'Exists') return [...(this.#labelled.get(key)?.values() ?? [])];
    return undefined;
  }

  #holders(key: string, value: string): Set<Identity> {
    const byValue = getOrMake(this.#labelled, key, () => new Map<string, Set<Identity>>());
    return getOrMake(byValue, value, () => new Set<Identity>());
  }
}

/** Indices of the columns of a selection's members. Cost: as many, the first time after a change of them. */
export function columnsOf(selection: Selection): Int32Array {
  if (selection.columns) return selection.columns;
  const columns: number[] = [];
  for (const member of selection.members) for (const { index } of member.columns) columns.push(index);
  return (selection.columns = Int32Array.from(columns));
}

function join(selection: Selection, identity: Identity): void {
  selection.columns = undefined;
  selection.members.add(identity);
  identity.selections.add(selection);
}

function leave(selection: Selection, identity: Identity): void {
  selection.columns = undefined;
  selection.members.delete(identity);
  identity.selections.delete(selection);
}

function sizeOf(sets: readonly Set<Identity>[]): number {
  return sets.reduce((sum, { size }) => sum + size, 0);
}

/** Equal for selectors that are written the same; a namespace's own key begins with a slash, which this does not. */
function textOf({ requirements }: Selector): string {
  return JSON.stringify(requirements.map(({ key, operator, values }) => [key, operator, ...values]));
}
