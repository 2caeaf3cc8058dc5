import type { Cluster, Namespace } from '../model/cluster.ts';
import { isEndpoint, podKey, type Pod } from '../model/pod.ts';
import type { Direction, NetworkPolicy } from '../model/policy.ts';
import type { Labels } from '../model/selector.ts';
import type { Service } from '../model/service.ts';
import type { Connection, Verdict } from '../model/verdict.ts';
import type { IpAddress } from '../net/ip.ts';
import { AddressMap } from './address-map.ts';
import { Arena } from './arena.ts';
import { CidrClasses } from './cidr-classes.ts';
import { Columns } from './columns.ts';
import { Endpoints, type PodState } from './endpoints.ts';
import { explain } from './explain.ts';
import { Identities } from './identities.ts';
import { RECORD } from './layout.ts';
import { Policies } from './policies.ts';
import type { PolicyTable, TableStats } from './policy-table.ts';
import { PortSets } from './port-sets.ts';
import { Records } from './records.ts';
import { Rows } from './rows.ts';
import { Selections } from './selections.ts';
import type { Identity } from './table-state.ts';

/** What a table is made for. */
export interface TableOptions {
  /**
   * The pods that verdicts are asked about from their side: on one node, or behind one proxy. Of all
   * others the table knows what they are as peers, but answers as if no policy selected them. All pods unless given.
   */
  readonly subjects?: (pod: Pod) => boolean;
}

const NO_LABELS: Labels = new Map();
// What an allocation may take from the buffer beyond its own words: the rest of a slab, twice.
const SPARE_WORDS = 4096;

/**
 * A table that changes with its cluster. Each method costs what its change touches, and what it
 * changes appears to the readers of `buffer` all at once: each decision is that of the table before
 * the call or after it. A buffer that has become too small is left behind with its last state, and
 * `buffer` is a larger one: give it to readers after each change, or whenever it is another one.
 *
 * What a change replaces is used again, but for port sets and the bounds of ports: those that were in
 * use once stay until a new table is made. Some hundred bytes each, they matter after many thousands.
 */
export class LiveTable implements PolicyTable {
  readonly #isSubject: (pod: Pod) => boolean;
  readonly #arena = new Arena();
  readonly #portSets = new PortSets(this.#arena);
  readonly #cidrs = new CidrClasses();
  readonly #columns = new Columns((column) => {
    this.#policies.columnChanged(column);
  });
  readonly #rows = new Rows(this.#arena, this.#columns, this.#portSets);
  readonly #records = new Records(this.#arena, this.#columns, this.#rows);
  readonly #addresses: AddressMap;
  readonly #endpoints: Endpoints;
  readonly #identities = new Identities();
  readonly #selections = new Selections();
  readonly #policies: Policies;
  readonly #pods = new Map<string, PodState>();
  #namespaces = new Map<string, Namespace>();
  #services: readonly Service[] = [];
  #nextOrder = 0;
  #cluster: Cluster | undefined;

  constructor({ subjects = () => true }: TableOptions = {}) {
    this.#isSubject = subjects;
    this.#policies = new Policies({
      cidrs: this.#cidrs,
      addBlock: (block) => {
        this.#addresses.addBlock(block);
      },
      removeBlock: (block) => {
        this.#addresses.removeBlock(block);
      },
      portSets: this.#portSets,
      rows: this.#rows,
      selections: this.#selections,
    });
    this.#addresses = new AddressMap(this.#arena, this.#cidrs, this.#records);
    this.#endpoints = new Endpoints(this.#arena, this.#addresses);
    this.#flush();
  }

  /** The table of a cluster. Throws RangeError if it would exceed its format's limit of 1 GiB. */
  static from(cluster: Cluster, options: TableOptions = {}): LiveTable {
    const table = new LiveTable(options);
    table.sync(cluster);
    return table;
  }

  /** What readers open with openTable. */
  get buffer(): SharedArrayBuffer {
    return this.#arena.share();
  }

  /**
   * A copy that never changes, for a file or another process.
   * @param into an earlier copy that nobody reads any more: its memory is used again if that is enough and not far too
   * much; if not, the copy has room for later ones.
   */
  snapshot(into?: SharedArrayBuffer): SharedArrayBuffer {
    return this.#arena.snapshot(into);
  }

  /** The cluster as it is now. */
  get cluster(): Cluster {
    const inOrder = <T extends { readonly order: number }>(states: Iterable<T>): T[] =>
      [...states].sort((one, other) => one.order - other.order);
    return (this.#cluster ??= {
      namespaces: new Map(this.#namespaces),
      pods: inOrder(this.#pods.values()).map(({ pod }) => pod),
      services: this.#services,
      policies: inOrder(this.#policies.all()).map(({ policy }) => policy),
    });
  }

  get stats(): TableStats {
    return {
      identities: this.#identities.count,
      cidrClasses: this.#cidrs.count,
      portClasses: this.#portSets.classes.count,
      portSets: this.#portSets.count,
      columns: this.#columns.count,
      rows: this.#rows.count,
      trieBytes: this.#addresses.trieBytes,
      bytes: this.#arena.usedBytes,
    };
  }

  /** Adds a pod, or puts it in the place of the one of its name. */
  setPod(pod: Pod): void {
    this.#change(() => {
      this.#setPod(podKey(pod), pod);
    });
  }

  /** @param key `NAMESPACE/NAME`. @returns false if there is no such pod. */
  removePod(key: string): boolean {
    return this.#change(() => this.#removePod(key));
  }

  /** Adds a namespace, or gives it other labels. */
  setNamespace(namespace: Namespace): void {
    this.#change(() => {
      this.#setNamespace(namespace);
    });
  }

  /** Forgets the labels of a namespace. Its pods and policies, if it has any still, stay. */
  removeNamespace(name: string): boolean {
    return this.#change(() => this.#removeNamespace(name));
  }

  /** Adds a policy, or puts it in the place of the one of its name. */
  setPolicy(policy: NetworkPolicy): void {
    this.#change(() => {
      this.#setPolicy(podKey(policy), policy);
    });
  }

  /** @param key `NAMESPACE/NAME`. @returns false if there is no such policy. */
  removePolicy(key: string): boolean {
    return this.#change(() => this.#policies.remove(key));
  }

  /**
   * Makes the table that of another cluster, all at once. Objects that are the same are not looked at.
   * Cost: a look at each object, and the changes.
   */
  sync(cluster: Cluster): void {
    this.#change(() => {
      for (const name of this.#namespaces.keys()) if (!cluster.namespaces.has(name)) this.#removeNamespace(name);
      for (const namespace of cluster.namespaces.values()) this.#setNamespace(namespace);
      const pods = byKey(cluster.pods);
      const policies = byKey(cluster.policies);
      for (const key of [...this.#pods.keys()]) if (!pods.has(key)) this.#removePod(key);
      for (const { key } of [...this.#policies.all()]) if (!policies.has(key)) this.#policies.remove(key);
      let order = 0;
      const placed = Array.from(pods, ([key, pod]) => ({ key, pod, place: order++ }));
      // Pods of one namespace after one another have columns side by side, which their policies want.
      for (const each of Map.groupBy(placed, ({ pod }) => pod.namespace).values()) {
        for (const { key, pod, place } of each) this.#setPod(key, pod, place);
      }
      for (const [key, policy] of policies) this.#setPolicy(key, policy, order++);
      this.#nextOrder = order;
      this.#endpoints.settle();
      this.#services = cluster.services;
    });
    this.#cluster = cluster;
  }

  /** The verdict with its reasons, every matching rule: the cold path. Cost: the rules of the policies that select the two pods. */
  explain(connection: Connection): Verdict {
    return explain(
      {
        podAt: ({ text }) => this.#endpoints.ownerOf(text)?.pod,
        isolating: ({ text }, direction) => this.#isolating(this.#endpoints.ownerOf(text)?.identity, direction),
        namespaceLabels: (name) => this.#namespaces.get(name)?.labels ?? NO_LABELS,
      },
      connection,
    );
  }

  /** See PolicyTable. A change of the table may change it. */
  kindOf(address: IpAddress): number {
    const record = this.#addresses.lookup(address);
    return (this.#arena.words[record + RECORD.column] ?? 0) < 0 ? 0 : record;
  }

  #isolating(identity: Identity | undefined, direction: Direction): NetworkPolicy[] {
    const policies = identity?.rows[direction]?.policies ?? [];
    return [...policies].sort((one, other) => one.order - other.order).map(({ policy }) => policy);
  }

  #change<T>(change: () => T): T {
    this.#cluster = undefined;
    const result = change();
    this.#flush();
    return result;
  }

  /** Computes what the change has left to be computed, then lets readers see all of it. */
  #flush(): void {
    this.#endpoints.build();
    const changed = this.#policies.assignRows();
    const moved = this.#rows.build();
    this.#arena.commit(() => {
      this.#rows.publish();
      if (moved) this.#records.writeAll();
      else for (const { records } of changed) for (const record of records) this.#records.write(record);
      this.#addresses.publish();
    }, this.#addresses.wordsToPublish + SPARE_WORDS);
  }

  #setPod(key: string, pod: Pod, place?: number): void {
    const before = this.#pods.get(key);
    const order = place ?? before?.order ?? this.#nextOrder++;
    if (before) before.order = order;
    if (before?.pod === pod) return;
    const identity = isEndpoint(pod)
      ? this.#identities.acquire(pod, this.#isSubject(pod), (made) => {
          this.#policies.addIdentity(made);
        })
      : undefined;
    const after: PodState = { pod, order, identity };
    this.#pods.set(key, after);
    this.#endpoints.replace(before, after);
    this.#releaseIdentity(before);
  }

  #removePod(key: string): boolean {
    const before = this.#pods.get(key);
    if (!before) return false;
    this.#pods.delete(key);
    this.#endpoints.replace(before, undefined);
    this.#releaseIdentity(before);
    return true;
  }

  #releaseIdentity(state: PodState | undefined): void {
    if (state?.identity && this.#identities.release(state.identity)) this.#policies.removeIdentity(state.identity);
  }

  #setNamespace(namespace: Namespace): void {
    if (this.#namespaces.get(namespace.name) === namespace) return;
    this.#namespaces.set(namespace.name, namespace);
    this.#policies.namespaceChanged(namespace.name, namespace.labels);
  }

  #removeNamespace(name: string): boolean {
    if (!this.#namespaces.delete(name)) return false;
    this.#policies.namespaceChanged(name, NO_LABELS);
    return true;
  }

  #setPolicy(key: string, policy: NetworkPolicy, place?: number): void {
    const before = this.#policies.get(key);
    const order = place ?? before?.order ?? this.#nextOrder++;
    if (before) before.order = order;
    if (before?.policy !== policy) this.#policies.set(key, policy, order);
  }
}

/** Objects by their names, which are unique in a cluster; should two be the same, both count. */
function byKey<T extends { readonly namespace: string; readonly name: string }>(objects: readonly T[]): Map<string, T> {
  const found = new Map<string, T>();
  for (const object of objects) {
    let key = podKey(object);
    while (found.has(key)) key += '+';
    found.set(key, object);
  }
  return found;
}
