import { setTimeout as delay } from 'node:timers/promises';
import type { FlowLog } from '../../flows/flow-log.ts';
import { AddressPool } from '../../manifest/address-pool.ts';
import { buildCluster, type BuiltCluster } from '../../manifest/build-cluster.ts';
import { parseManifests, type ManifestFile, type ManifestObject } from '../../manifest/manifest.ts';
import { issueText } from '../../manifest/issue.ts';
import type { Cluster } from '../../model/cluster.ts';
import { invariant } from '../../model/invariant.ts';
import { LabError } from '../../model/lab-error.ts';
import { isFinished, podKey, type Pod } from '../../model/pod.ts';
import { parseIp, type IpAddress } from '../../net/ip.ts';
import type { PolicyTable } from '../../table/policy-table.ts';
import type { ChangeReport, ChangeResult, LabSpec, PodStatus } from '../lab-client.ts';
import { objectKey, type LabView } from '../lab-objects.ts';
import { ObjectStore } from '../object-store.ts';
import { CLUSTER_DNS, hasClusterDns, nameServersOf, startClusterDns } from './cluster-dns.ts';
import { NodeTraffic } from './node-traffic.ts';
import { startOutsideHosts, type OutsideHost } from './outside-hosts.ts';
import { PodFleet } from './pod-fleet.ts';
import { openNodeNamespace, prepareNode } from './pod-network.ts';
import type { PodRuntimeStatus } from './pod-runtime.ts';

const NODE_NAME = 'node';
const NODE_ADDRESSES = ['172.18.0.2', 'fd00:172:18::2'].map(addressOf); // as the first node of a kind cluster
const STARTING_MS = 100; // built-in servers listen within a few
const READY_DEADLINE_MS = 30_000; // a pod that is not ready by then is reported as it is

/** A change of what the lab holds. */
interface Change {
  readonly store: ObjectStore;
  /** Keys of pods to end, whether they are wanted or not. */
  readonly restart?: readonly string[];
  readonly results: readonly ChangeResult[];
}

/** What a lab is told to hold by something else than a user's manifests. */
export interface ObjectsChange {
  /** Objects to add or replace. */
  readonly put: readonly ManifestObject[];
  /** Objects to remove, all of them there. */
  readonly remove: readonly ObjectName[];
  /** Labels of pods and namespaces to set, null to remove. */
  readonly label: readonly (ObjectName & { readonly labels: Readonly<Record<string, string | null>> })[];
  /** Keys of pods to end; those that the lab is to have all the same start anew. */
  readonly restart: readonly string[];
}

type ObjectName = Pick<ManifestObject, 'kind' | 'namespace' | 'name'>;

/**
 * A lab in network namespaces: this process's own is the node's. Changes are made one after another,
 * each in an order in which nothing is open that the policies deny: pods that go are cut off first,
 * then the new table is in force, then new pods are joined to the node.
 */
export class RunningLab {
  readonly spec: LabSpec;
  /** Called after every change of what the lab holds, once it is in force, and of its pods' state. */
  onChanged: () => void = () => undefined;
  readonly #pool = new AddressPool();
  readonly #startedAt = new Date();
  readonly #createdAt = new Map<string, string>();
  readonly #fleet: PodFleet;
  readonly #traffic: NodeTraffic;
  #store = new ObjectStore();
  #built: BuiltCluster;
  #work: Promise<unknown> = Promise.resolve();
  #refreshing = false;

  private constructor(spec: LabSpec, folder: string) {
    this.spec = spec;
    this.#built = buildCluster([], this.#pool);
    const namespace = openNodeNamespace();
    this.#traffic = new NodeTraffic({ name: NODE_NAME, addresses: NODE_ADDRESSES, namespace }, this.#built.cluster);
    this.#fleet = new PodFleet({
      folder,
      nodeNamespace: namespace,
      nameServers: (pod) => nameServersOf(pod, this.cluster),
      startDns: (pod, namespace) => startClusterDns(pod, namespace, () => this.#traffic.zone),
      onChange: () => {
        this.#refreshSoon();
      },
    });
  }

  /** Starts a lab and waits for its pods. `onFailure` is called if its gate ends: nothing passes from then on. */
  static async start(
    spec: LabSpec,
    place: { readonly folder: string; readonly onFailure: (error: Error) => void },
    onProgress: (text: string) => void,
  ): Promise<RunningLab> {
    const lab = new RunningLab(spec, place.folder);
    const traffic = lab.#traffic.start(spec.options, place.onFailure);
    const prepared = Promise.all([prepareNode(NODE_ADDRESSES), traffic]);
    prepared.catch(() => undefined); // awaited below; manifests that are refused come first
    const change = lab.#firstChange(); // while the kernel and the gate's thread work
    await prepared;
    onProgress('the gate is closed and judges');
    lab.#traffic.setOutside(await startOutsideHosts(spec.external));
    await lab.#serially(() => lab.#make(change.change, change.built));
    onProgress(`${lab.#fleet.pods.size} pods are starting`);
    await lab.#podsReady();
    return lab;
  }

  /** The cluster as policies see it now. */
  get cluster(): Cluster {
    return this.#traffic.table.cluster;
  }

  get log(): FlowLog {
    return this.#traffic.log;
  }

  get table(): PolicyTable {
    return this.#traffic.table;
  }

  get fleet(): PodFleet {
    return this.#fleet;
  }

  get outside(): readonly OutsideHost[] {
    return this.#traffic.outside;
  }

  get startedAt(): string {
    return this.#startedAt.toISOString();
  }

  get view(): LabView {
    return {
      objects: this.#store.objects,
      cluster: this.cluster,
      statuses: new Map(this.podStatuses().map((status) => [podKey(status), status])),
      nodeName: NODE_NAME,
      startedAt: this.startedAt,
      createdAt: this.#createdAt,
    };
  }

  /** Warnings of the manifests and of what runs in the pods. */
  get warnings(): readonly string[] {
    return [...this.#built.warnings, ...[...this.#fleet.pods.values()].flatMap(({ runtime }) => runtime.warnings)];
  }

  /** Every pod, those that have finished too, in the cluster's order. */
  podStatuses(): PodStatus[] {
    return this.cluster.pods.map((pod): PodStatus => {
      const runtime = this.#fleet.pods.get(podKey(pod))?.runtime;
      const total = pod.containers.filter(({ role }) => role !== 'init').length;
      return {
        namespace: pod.namespace,
        name: pod.name,
        owner: pod.owner,
        labels: Object.fromEntries(pod.labels),
        addresses: pod.addresses.map(({ text }) => text),
        startedAt: (runtime?.startedAt ?? this.#startedAt).toISOString(),
        ...(runtime?.status ?? {
          phase: pod.phase,
          ready: false,
          restarts: 0,
          reason: '',
          message: '',
          containers: { ready: 0, total },
        }),
      };
    });
  }

  /** Adds or replaces objects; all or, if any has an issue, none. Returns once they are enforced and new pods run. */
  apply(files: readonly ManifestFile[]): Promise<ChangeReport> {
    return this.#change(() => {
      const { objects, issues, warnings } = parseManifests(files);
      return { ...this.#store.apply(objects), issues, warnings };
    });
  }

  /** Removes objects. @throws LabError usage if one is not there; then none is removed. */
  delete(targets: readonly ObjectName[]): Promise<ChangeReport> {
    return this.#change(() => {
      const { store, results, missing } = this.#store.delete(targets);
      if (missing.length > 0) throw new LabError('usage', `not found in lab ${this.spec.name}: ${missing.join(', ')}`);
      return { store, results, issues: [], warnings: [] };
    });
  }

  /** Changes labels of a pod or a namespace; null removes one. */
  label(
    target: { kind: 'Pod' | 'Namespace'; namespace: string; name: string },
    labels: Readonly<Record<string, string | null>>,
  ): Promise<ChangeReport> {
    return this.#change(() => ({
      store: this.#store.label(target, labels),
      results: [{ ...target, action: 'labeled' }],
      issues: [],
      warnings: [],
    }));
  }

  /** The object as it was written. @returns undefined if the lab has none of that name. */
  written(target: ObjectName): ManifestObject | undefined {
    return this.#store.get(target);
  }

  /** Makes several changes as one; if any object has an issue, none. Returns once they are enforced and new pods run. */
  change({ put, remove, label, restart }: ObjectsChange): Promise<ChangeReport> {
    return this.#change(() => {
      const deleted = this.#store.delete(remove);
      const applied = deleted.store.apply(put);
      const store = label.reduce((labelled, { labels, ...target }) => labelled.label(target, labels), applied.store);
      return { store, results: [...deleted.results, ...applied.results], issues: [], warnings: [], restart };
    });
  }

  /** Ends what runs in the pods, and the gate. Namespaces go with the process. */
  async stop(): Promise<void> {
    await this.#fleet.stop();
    await this.#traffic.stop();
  }

  #firstChange(): { change: Change; built: BuiltCluster } {
    const own = parseManifests(this.spec.files);
    let change: Change = this.#store.apply(own.objects);
    let built = buildCluster(change.store.objects, this.#pool);
    if (!hasClusterDns(built.cluster)) {
      change = change.store.apply(parseManifests([CLUSTER_DNS]).objects);
      built = buildCluster(change.store.objects, this.#pool);
    }
    const issues = [...own.issues, ...built.issues];
    if (issues.length > 0) throw new LabError('usage', issues.map(issueText).join('\n'));
    return { change, built: { ...built, warnings: [...own.warnings, ...built.warnings] } };
  }

  #change(plan: () => Change & Pick<ChangeReport, 'issues' | 'warnings'>): Promise<ChangeReport> {
    return this.#serially(async () => {
      const started = performance.now();
      const { issues, warnings, ...change } = plan();
      const built = issues.length === 0 ? this.#build(change.store) : this.#built;
      const found = issues.length === 0 ? built.issues : issues;
      const known = new Set(this.#built.warnings);
      const fresh = [...warnings, ...built.warnings.filter((warning) => !known.has(warning))];
      if (found.length > 0) {
        this.#build(this.#store); // gives the addresses back that the refused change took
        return { results: [], issues: found, warnings: fresh, enforcedMs: 0 };
      }
      await this.#make(change, built);
      return { results: change.results, issues: [], warnings: fresh, enforcedMs: performance.now() - started };
    });
  }

  #build(store: ObjectStore): BuiltCluster {
    const finished = [...this.#fleet.pods].filter(([, { namespace }]) => namespace === undefined);
    return buildCluster(store.objects, this.#pool, new Set(finished.map(([key]) => key)));
  }

  /** Puts a change in force. */
  async #make(change: Change, built: BuiltCluster): Promise<void> {
    const now = new Date().toISOString();
    for (const result of change.results) {
      if (result.action === 'created') this.#createdAt.set(objectKey(result), now);
    }
    this.#store = change.store;
    this.#built = built;
    await this.#reconcile(change.restart);
    this.onChanged();
  }

  /** Makes what runs follow the store and the pods' phases. */
  async #reconcile(restart: readonly string[] = []): Promise<void> {
    const wanted = this.#store.relabel(this.#built.cluster);
    const gone = [...new Set([...this.#fleet.gone(wanted.pods), ...restart])];
    await this.#fleet.remove(gone);
    const retired = await this.#fleet.retireFinished();
    this.#traffic.enforce({ ...wanted, pods: wanted.pods.map((pod) => this.#asItRuns(pod)) });
    const added = await this.#fleet.add(this.cluster.pods);
    if (added.length > 0 || gone.length > 0 || retired) await this.#traffic.attach(this.#fleet.networks);
    // What is ready at once is published at once.
    await Promise.race([Promise.all(added.map((runtime) => runtime.start())), delay(STARTING_MS)]);
    await this.#traffic.publish(this.#isReady);
  }

  /** After a change of a pod's phase or readiness: once for as many as there are by then. */
  #refreshSoon(): void {
    if (this.#refreshing) return;
    this.#refreshing = true;
    void this.#serially(async () => {
      this.#refreshing = false;
      const over = this.cluster.pods.some((pod) => this.#asItRuns(pod).phase !== pod.phase);
      if (over) await this.#reconcile();
      else await this.#traffic.publish(this.#isReady);
      this.onChanged();
    });
  }

  #asItRuns(pod: Pod): Pod {
    const runtime = this.#fleet.pods.get(podKey(pod))?.runtime;
    const phase = runtime && !isFinished(pod) ? runtime.status.phase : pod.phase;
    // A finished pod shows the address that it had, though another may have it by now.
    const own = runtime && isFinished({ ...pod, phase }) ? runtime.pod.addresses : pod.addresses;
    const addresses = pod.hostNetwork ? NODE_ADDRESSES : own;
    return { ...pod, phase, addresses, nodeAddresses: NODE_ADDRESSES };
  }

  readonly #isReady = (pod: Pod): boolean => this.#fleet.pods.get(podKey(pod))?.runtime.status.ready ?? false;

  async #podsReady(): Promise<void> {
    const deadline = performance.now() + READY_DEADLINE_MS;
    while (performance.now() < deadline) {
      await this.#work;
      const statuses = [...this.#fleet.pods.values()].map(({ runtime }) => runtime.status);
      const starting = ({ phase, ready, message }: PodRuntimeStatus) =>
        !ready && message === '' && (phase === 'Pending' || phase === 'Running');
      if (!statuses.some(starting)) break;
      await delay(2);
    }
    await this.#serially(() => this.#traffic.publish(this.#isReady));
  }

  /** One piece of work after another: none sees another's half-made state. */
  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#work.then(work);
    this.#work = result.catch(() => undefined);
    return result;
  }
}

function addressOf(text: string): IpAddress {
  const address = parseIp(text);
  invariant(address, `${text} is an address`);
  return address;
}
