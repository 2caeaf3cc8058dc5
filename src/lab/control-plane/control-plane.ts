import { nameOf, namespaceOf, type ApiObject } from '../../apiserver/api-object.ts';
import type { ApiStore } from '../../apiserver/api-store.ts';
import type { ChangeSet } from '../../apiserver/change-set.ts';
import { servedKind } from '../../apiserver/registry.ts';
import { POLICY } from '../../apiserver/staged-policy.ts';
import { ApiError } from '../../apiserver/status.ts';
import type { CommitVerdict } from '../../apiserver/user-writes.ts';
import type { WriteDraft } from '../../apiserver/write-draft.ts';
import type { FlowLog } from '../../flows/flow-log.ts';
import { Enforcer } from '../../cni/enforcer.ts';
import type { CniName } from '../../cni/profile.ts';
import { AddressPool } from '../../manifest/address-pool.ts';
import { issueText, type Issue } from '../../manifest/issue.ts';
import { parseManifests, type ManifestFile } from '../../manifest/manifest.ts';
import type { Cluster } from '../../model/cluster.ts';
import { LabError } from '../../model/lab-error.ts';
import { podKey, type Pod } from '../../model/pod.ts';
import type { ChangeReport, ChangeResult, LabOptions } from '../lab-client.ts';
import type { Backend, NodeFacts } from './backend.ts';
import { CLUSTER_DNS } from './cluster-dns.ts';
import { ClusterState, type ClusterChange } from './cluster-state.ts';
import { denials } from './denials.ts';
import { removeEndpoints, updateEndpoints } from './endpoint-objects.ts';
import { EventRecorder } from './event-recorder.ts';
import { lifecycleEvents } from './lifecycle-events.ts';
import {
  applyManifests,
  deleteObjects,
  labelObject,
  RefusedManifests,
  stageManifests,
  type ObjectName,
} from './manifest-writes.ts';
import { nodeObject } from './node-object.ts';
import { Placement } from './placement.ts';
import { reported } from './pod-report.ts';
import { endStagingOfChanged } from './staging.ts';
import { updateStatuses } from './workload-status.ts';
import { reconcileWorkloads, touchedWorkloads } from './workloads.ts';

/** What a control plane is made of. */
export interface ControlPlaneOptions {
  readonly name: string;
  readonly store: ApiStore;
  readonly backend: Backend;
  readonly node: NodeFacts;
  /** False if the backend's pods have addresses from elsewhere, and report them. */
  readonly givesPodAddresses: boolean;
  /** Where it gives them from; AddressPool's own networks unless given. */
  readonly podNetworks?: readonly string[] | undefined;
  readonly cni: CniName;
  /** Takes an error that nobody waits for. */
  readonly onError: (error: unknown) => void;
}

const POD = servedKind('v1', 'Pod');
const SERVICE = servedKind('v1', 'Service');
const NODE = servedKind('v1', 'Node');
// A change waits for its pods to begin, and for Services to lead to those that are ready at once; not for the next step
// of a rolling update, or the next pod of a Job.
const ROUNDS = 2;
const WRITTEN: ReadonlySet<ChangeResult['action']> = new Set(['created', 'configured']);
const EVENTS_OF_A_CHANGE = 300; // a lab of thousands of pods would only push its own Events out

/**
 * The control plane of a lab: its store of objects, and what follows from each change. All writes go one way, whether
 * of kubectl, of the command line or of the lab itself: controllers add what they make of them, pods and Services get
 * addresses, the backend puts it in force, then it is stored and answered.
 */
export class ControlPlane {
  readonly name: string;
  readonly store: ApiStore;
  readonly startedAt: string;
  /** Whether the store has the objects of a lab that ran before. */
  readonly resumed: boolean;
  readonly #backend: Backend;
  readonly #node: NodeFacts;
  readonly #placement: Placement;
  readonly #state: ClusterState;
  readonly #events: EventRecorder;
  readonly #onError: (error: unknown) => void;
  readonly #changedPods = new Set<string>();
  #following: Promise<unknown> = Promise.resolve();
  #manifestWarnings: readonly string[] = [];

  constructor(options: ControlPlaneOptions) {
    const { name, store, backend, node, givesPodAddresses, podNetworks, cni, onError } = options;
    this.name = name;
    this.store = store;
    this.startedAt = store.objects.now().toISOString();
    this.#backend = backend;
    this.#state = new ClusterState(new Enforcer(cni));
    this.#node = node;
    this.#placement = new Placement(new AddressPool(podNetworks), node, givesPodAddresses);
    this.#onError = onError;
    this.#events = new EventRecorder(store);
    store.onCommit = (set) => this.#admit(set);
    this.resumed = store.objects.get(NODE, '', node.name) !== undefined; // it is made with the first objects
  }

  /** The cluster as it is in force. */
  get cluster(): Cluster {
    return this.#state.cluster;
  }

  /** The cluster with the policies that are staged, and how many these are; undefined if none is. */
  get staged(): { readonly cluster: Cluster; readonly count: number } | undefined {
    const cluster = this.#state.staged;
    return cluster && { cluster, count: this.#state.stagedCount };
  }

  /** How many policies there are, enforced or not, but for those that are staged. */
  get policies(): number {
    return this.#state.policies;
  }

  /** What there is to say about the manifests that the lab was started with, and about its policies and Services. */
  get warnings(): readonly string[] {
    return [...this.#manifestWarnings, ...this.#state.warnings];
  }

  /** Whether the pod's status says that it is ready. */
  get isReady(): (pod: Pod) => boolean {
    return this.#state.isReady;
  }

  /**
   * Makes the lab's first objects, or goes on with those of a lab that ran before: then the manifests are not read.
   * @throws LabError usage with all that is wrong with the manifests.
   */
  async start(files: readonly ManifestFile[]): Promise<void> {
    const { objects, issues, warnings } = parseManifests(this.resumed ? [] : files);
    this.#manifestWarnings = warnings;
    const report = await this.#report({ issues, warnings }, (draft) => {
      this.#state.load(draft.set);
      if (this.resumed) {
        this.#placement.resume(draft.set);
        return [];
      }
      draft.set.put(NODE, nodeObject(this.#node, draft.set));
      const results = applyManifests(draft, objects);
      const hasNameServer = draft.set.get(SERVICE, 'kube-system', 'kube-dns') !== undefined;
      return hasNameServer ? results : [...results, ...applyManifests(draft, parseManifests([CLUSTER_DNS]).objects)];
    });
    if (report.issues.length > 0) throw new LabError('usage', report.issues.map(issueText).join('\n'));
  }

  /** Adds or changes objects; all or, if any has an issue, none. Returns once they are enforced and new pods run. */
  apply(files: readonly ManifestFile[]): Promise<ChangeReport> {
    const { objects, issues, warnings } = parseManifests(files);
    return this.#report({ issues, warnings }, (draft) => applyManifests(draft, objects));
  }

  /** Stages policies, until they are applied or deleted: flows tell what they would change. */
  stage(files: readonly ManifestFile[]): Promise<ChangeReport> {
    const { objects, issues, warnings } = parseManifests(files);
    return this.#report({ issues, warnings }, (draft) => stageManifests(draft, objects));
  }

  /** Removes objects. @throws LabError usage if one is not there; then none is removed. */
  delete(targets: readonly ObjectName[]): Promise<ChangeReport> {
    return this.#report({ issues: [], warnings: [] }, (draft) => {
      const { results, missing } = deleteObjects(draft, targets);
      if (missing.length > 0) throw new LabError('usage', `not found in lab ${this.name}: ${missing.join(', ')}`);
      return results;
    });
  }

  /** Changes labels of an object; null removes one. */
  label(target: ObjectName, labels: Readonly<Record<string, string | null>>): Promise<ChangeReport> {
    return this.#report({ issues: [], warnings: [] }, (draft) => [labelObject(draft, target, labels)]);
  }

  /** The stored object of a pod. @returns undefined if there is none. */
  podObject({ namespace, name }: Pick<Pod, 'namespace' | 'name'>): ApiObject | undefined {
    return this.store.objects.get(POD, namespace, name);
  }

  /** To be called when a backend has something new to say of a pod. It is stored, with what follows from it, in its turn. */
  podChanged(podKey: string): void {
    const waiting = this.#changedPods.size > 0;
    this.#changedPods.add(podKey);
    if (waiting) return;
    this.#follow((set) => {
      const keys = [...this.#changedPods];
      this.#changedPods.clear();
      this.#takeReports(set, keys);
    });
  }

  /** Makes Events of connections that are denied. */
  recordDenials(log: FlowLog, deny: LabOptions['deny']): void {
    log.follow((flow) => {
      for (const denial of denials(flow, this.store, deny)) this.#events.record(denial);
    });
  }

  /** Resolves when all that backends have said so far is stored. */
  async reportsStored(): Promise<void> {
    for (let known; known !== this.#following;) {
      known = this.#following;
      await known;
    }
  }

  /** Makes changes that nobody waits for, in their turn. */
  #follow(plan: (set: ChangeSet) => void): void {
    const followed = this.store.users.together(({ set }) => {
      plan(set);
    });
    this.#following = Promise.all([this.#following, followed.catch(this.#onError)]);
  }

  /** What a set of changes leads to, put in force before it is stored. */
  async #admit(set: ChangeSet): Promise<CommitVerdict> {
    endStagingOfChanged(set);
    reconcileWorkloads(set);
    const issues = this.#placement.place(set);
    if (issues.length > 0) {
      this.#placement.settle(set, { made: false });
      return { kind: 'refused', issues };
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      updateStatuses(set);
      const change = this.#state.take(set);
      if (!change) break;
      this.#updateEndpoints(set, change);
      await this.#backend.enforce(change);
      this.#takeReports(set, change.begun.map(podKey));
    }
    updateStatuses(set);
    // A pod that is ready, or has ended, may be what a controller waits for.
    const workloads = touchedWorkloads(set);
    if (workloads.length > 0) {
      this.#follow((next) => {
        reconcileWorkloads(next, workloads);
      });
    }
    this.#placement.settle(set, { made: true });
    const happenings = lifecycleEvents(set.changes).slice(0, EVENTS_OF_A_CHANGE);
    setImmediate(() => {
      for (const happening of happenings) this.#events.record(happening); // once it is stored
    });
    return { kind: 'accepted', remarks: policiesWritten(set).flatMap((policy) => this.#state.remarksOn(policy)) };
  }

  #updateEndpoints(set: ChangeSet, { services }: ClusterChange): void {
    const facts = { nodeName: this.#node.name, podsIn: this.#state.podsIn, isReady: this.#state.isReady };
    for (const service of services) updateEndpoints(set, service, facts);
    for (const { resource, before } of set.changes) {
      if (resource !== SERVICE || !before) continue;
      const place = { namespace: namespaceOf(before), name: nameOf(before) };
      if (!set.get(SERVICE, place.namespace, place.name)) removeEndpoints(set, place);
    }
  }

  #takeReports(set: ChangeSet, keys: readonly string[]): void {
    for (const key of keys) {
      const [namespace = '', name = ''] = key.split('/');
      const pod = set.get(POD, namespace, name);
      const report = pod && this.#backend.reportOf(key);
      const after = report && reported(pod, report, set.now());
      if (after && after !== pod) set.put(POD, after);
    }
  }

  async #report(
    { issues, warnings }: Pick<ChangeReport, 'issues' | 'warnings'>,
    plan: (draft: WriteDraft) => readonly ChangeResult[],
  ): Promise<ChangeReport> {
    const refused = (found: readonly Issue[]): ChangeReport => ({
      results: [],
      issues: found,
      warnings,
      enforcedMs: 0,
    });
    if (issues.length > 0) return refused(issues);
    const started = performance.now();
    try {
      const { verdict, value } = await this.store.users.together(plan);
      if (verdict.kind === 'refused') return refused(verdict.issues);
      const late = await this.store.users.onStored();
      const written = value.filter(({ action }) => WRITTEN.has(action));
      const said = written.flatMap((object) => this.#state.warningsOf(object));
      const enforcedMs = performance.now() - started;
      return { results: value, issues: [], warnings: [...warnings, ...said, ...late], enforcedMs };
    } catch (error) {
      if (error instanceof RefusedManifests) return refused(error.issues);
      if (error instanceof ApiError) throw new LabError('usage', error.message, { cause: error });
      throw error;
    }
  }
}

/** The policies that a set of changes makes or changes. */
function policiesWritten(set: ChangeSet): { readonly namespace: string; readonly name: string }[] {
  return set.changes.flatMap(({ resource, after }) =>
    after && resource === POLICY ? [{ namespace: namespaceOf(after), name: nameOf(after) }] : [],
  );
}
