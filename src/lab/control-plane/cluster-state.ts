import { listAt, nameOf, namespaceOf, sameJson, textAt, uidOf, type ApiObject } from '../../apiserver/api-object.ts';
import type { ChangeSet } from '../../apiserver/change-set.ts';
import { servedKind } from '../../apiserver/registry.ts';
import { unstaged } from '../../apiserver/staged-policy.ts';
import type { ObjectChange } from '../../apiserver/object-store.ts';
import type { Enforcer } from '../../cni/enforcer.ts';
import { buildPod, givenAddresses, nodeAddresses } from '../../manifest/build-pod.ts';
import { buildPolicy, policyWarnings } from '../../manifest/build-policy.ts';
import { buildService, givenClusterIps, serviceWarnings } from '../../manifest/build-service.ts';
import { namespaceOf as namespaceNamed } from '../../manifest/build-cluster.ts';
import { podPlans } from '../../manifest/pod-plan.ts';
import { readObject, type Understood } from '../../manifest/validate.ts';
import type { Cluster, Namespace } from '../../model/cluster.ts';
import { invariant } from '../../model/invariant.ts';
import { isEndpoint, isFinished, podKey, type Pod } from '../../model/pod.ts';
import type { NetworkPolicy } from '../../model/policy.ts';
import type { Service } from '../../model/service.ts';
import type { ClusterUpdate } from './backend.ts';
import { leadsTo } from './endpoint-objects.ts';
import { sourced } from './origin.ts';
import { resourceNamed, type ObjectName } from './manifest-writes.ts';
import { ownerOf } from './owner.ts';
import { withStaged } from './staging.ts';

/** A model object and the stored one that it was made of. */
interface Known<Model> {
  readonly object: ApiObject;
  readonly model: Model;
}

/** A namespaced object's. */
interface ObjectPlace {
  readonly namespace: string;
  readonly name: string;
}

/** What a change does to the cluster while it is found out. */
interface Findings {
  readonly ended: string[];
  readonly finished: string[];
  readonly begun: Pod[];
  /** Pods whose Services have to be looked at, as they were and as they are. */
  readonly pods: Pod[];
  /** Keys of Services that are new or others than before. */
  readonly services: Set<string>;
  judged: boolean;
  served: boolean;
}

/** What a set of changes does to the cluster. */
export interface ClusterChange extends ClusterUpdate {
  /** Services whose endpoints may be others than before. */
  readonly services: readonly Service[];
}

/** The model of the stored objects. It follows their changes; each costs what it touches, and a copy of the lists. */
export class ClusterState {
  readonly #namespaces = new Map<string, Known<Namespace>>();
  readonly #pods = new Map<string, Known<Pod>>();
  readonly #services = new Map<string, Known<Service>>();
  readonly #policies = new Map<string, Known<NetworkPolicy>>();
  readonly #staged = new Map<string, Known<NetworkPolicy>>();
  readonly #warnings = new Map<string, readonly string[]>();
  readonly #enforcer: Enforcer;
  #cluster: Cluster | undefined;
  #stagedCluster: Cluster | undefined;

  /** @param enforcer how policies are enforced. */
  constructor(enforcer: Enforcer) {
    this.#enforcer = enforcer;
  }

  /** The cluster now, with its policies as they are enforced. */
  get cluster(): Cluster {
    this.#cluster ??= this.#enforcer.enforced(this.#asWritten);
    return this.#cluster;
  }

  get #asWritten(): Cluster {
    return {
      namespaces: new Map([...this.#namespaces].map(([name, { model }]) => [name, model])),
      pods: Array.from(this.#pods.values(), ({ model }) => model),
      services: Array.from(this.#services.values(), ({ model }) => model),
      policies: Array.from(this.#policies.values(), ({ model }) => model),
    };
  }

  /** The cluster as it would be with the policies that are staged; undefined if none is. */
  get staged(): Cluster | undefined {
    if (this.#staged.size === 0) return undefined;
    const policies = new Map([...this.#staged].map(([key, { model }]) => [key, model]));
    this.#stagedCluster ??= this.#enforcer.enforced(withStaged(this.#asWritten, policies));
    return this.#stagedCluster;
  }

  /** How many policies are staged. */
  get stagedCount(): number {
    return this.#staged.size;
  }

  /** How many policies there are, enforced or not. */
  get policies(): number {
    return this.#policies.size;
  }

  /** What there is to say of the policies and Services that there are. */
  get warnings(): string[] {
    const policies = [...this.#policies.values()].map(({ model }) => ({ ...model, kind: 'NetworkPolicy' }));
    const services = [...this.#services.values()].map(({ model }) => ({ ...model, kind: 'Service' }));
    return [...policies, ...services].flatMap((object) => this.warningsOf(object));
  }

  /** What the API server would have warned of in a policy, and what of it, or of a Service, has no effect. */
  warningsOf(object: ObjectName): readonly string[] {
    const key = podKey(object);
    switch (object.kind) {
      case 'NetworkPolicy':
        return [...(this.#warnings.get(key) ?? []), ...this.remarksOn(object)];
      case 'Service': {
        const known = this.#services.get(key);
        return known ? serviceWarnings(known.model) : [];
      }
      default:
        return [];
    }
  }

  /** What of a policy has no effect. */
  remarksOn(policy: ObjectPlace): readonly string[] {
    const known = this.#policies.get(podKey(policy));
    return known ? this.#enforcer.remarks(known.model) : [];
  }

  /** Whether the pod's status says that it is ready. */
  readonly isReady = (pod: Pod): boolean => {
    const object = this.#pods.get(podKey(pod))?.object;
    return object !== undefined && hasReadyCondition(object);
  };

  /** Follows what the store has already; what the set has changed of it is taken later. */
  load(set: ChangeSet): void {
    const found = noFindings();
    for (const kind of ['Namespace', 'Service', 'NetworkPolicy', 'StagedNetworkPolicy'] as const) {
      const resource = resourceNamed(kind);
      for (const object of set.list(resource)) this.#takeOne(set, { resource, before: object, after: object }, found);
    }
  }

  /** Follows what is new in the set. @returns what there is to put in force; undefined if nothing is. */
  take(set: ChangeSet): ClusterChange | undefined {
    const found = noFindings();
    for (const change of set.changes) this.#takeOne(set, change, found);
    const { judged, served, pods } = found;
    if (!judged && !served) return undefined;
    this.#cluster = this.#stagedCluster = undefined;
    const services = this.cluster.services.filter(
      (service) => found.services.has(podKey(service)) || pods.some((pod) => leadsTo(service, pod)),
    );
    return { ...found, services, cluster: this.cluster, staged: this.staged, isReady: this.isReady };
  }

  /** The pods of a namespace. */
  readonly podsIn = (namespace: string): readonly Pod[] =>
    this.cluster.pods.filter((pod) => pod.namespace === namespace);

  #takeOne(set: ChangeSet, { resource, before, after }: ObjectChange, found: Findings): void {
    const touched = after ?? before;
    invariant(touched, 'a change has an object before or after it');
    const place = { namespace: namespaceOf(touched), name: nameOf(touched) };
    const key = resource.namespaced ? podKey(place) : place.name;
    const object = set.get(resource, place.namespace, place.name); // another may have taken its place
    switch (resource.kind) {
      case 'Pod':
        this.#takePod(set, { key, object }, found);
        break;
      case 'Namespace':
        if (!follow(this.#namespaces, { key, object }, (fresh) => namespaceNamed(key, labelsOf(fresh)))) return;
        found.judged = true;
        break;
      case 'Service':
        if (!follow(this.#services, { key, object }, (fresh) => serviceOf(set, fresh))) return;
        found.judged = found.served = true; // explanations name Services
        found.services.add(key);
        break;
      case 'NetworkPolicy':
        if (!follow(this.#policies, { key, object }, (fresh) => this.#policyOf(set, key, fresh))) return;
        if (!object) this.#warnings.delete(key);
        found.judged = true;
        break;
      case 'StagedNetworkPolicy':
        if (!follow(this.#staged, { key, object }, (fresh) => policyOf(set, fresh).policy)) return;
        found.judged = true; // for what flows tell of it: verdicts stay
    }
  }

  #policyOf(set: ChangeSet, key: string, object: ApiObject): NetworkPolicy {
    const { policy, warnings } = policyOf(set, object);
    this.#warnings.set(key, warnings);
    return policy;
  }

  #takePod(set: ChangeSet, { key, object }: Place, found: Findings): void {
    const known = this.#pods.get(key);
    if (known?.object === object) return;
    found.served = true;
    if (known) found.pods.push(known.model);
    if (!object) {
      this.#pods.delete(key);
      found.ended.push(key);
      found.judged = true;
      return;
    }
    const model = podOf(set, object);
    this.#pods.set(key, { object, model });
    found.pods.push(model);
    if (!known || isAnother(known.object, object)) {
      if (known) found.ended.push(key);
      if (!isFinished(model)) found.begun.push(model);
      found.judged = true;
      return;
    }
    if (isFinished(model) && !isFinished(known.model)) found.finished.push(key);
    if (judgedBy(known.model) !== judgedBy(model)) found.judged = true;
  }
}

function noFindings(): Findings {
  const lists = { ended: [], finished: [], begun: [], pods: [] };
  return { ...lists, services: new Set(), judged: false, served: false };
}

/** Where an object is, or was. */
interface Place {
  readonly key: string;
  readonly object: ApiObject | undefined;
}

/** Follows one object. @returns whether anything is new. */
function follow<Model>(
  known: Map<string, Known<Model>>,
  { key, object }: Place,
  build: (object: ApiObject) => Model,
): boolean {
  if (!object) return known.delete(key);
  if (known.get(key)?.object === object) return false;
  known.set(key, { object, model: build(object) });
  return true;
}

function labelsOf(object: ApiObject): Record<string, string> {
  return object.metadata.labels as Record<string, string>; // it has been validated
}

/** Whether what runs is not what the pod is now: another pod of that name, or one with other containers. */
function isAnother(before: ApiObject, after: ApiObject): boolean {
  return uidOf(before) !== uidOf(after) || !sameJson(before.spec, after.spec);
}

/** What of a pod verdicts depend on. */
function judgedBy(pod: Pod): string {
  return JSON.stringify([isEndpoint(pod), [...pod.labels], pod.addresses.map(({ text }) => text)]);
}

function hasReadyCondition(pod: ApiObject): boolean {
  return listAt(pod, 'status', 'conditions').some(
    (one) => textAt(one, 'type') === 'Ready' && textAt(one, 'status') === 'True',
  );
}

function understoodOf(set: ChangeSet, object: ApiObject): { manifest: ReturnType<typeof sourced>; value: Understood } {
  const origin = set.originOf(servedKind(object.apiVersion, object.kind), namespaceOf(object), nameOf(object));
  const manifest = unstaged(sourced(object, origin));
  const reading = readObject(manifest);
  invariant(reading.kind === 'understood', `${object.kind} ${nameOf(object)} has been validated`);
  return { manifest, value: reading.object };
}

function policyOf(set: ChangeSet, object: ApiObject): { policy: NetworkPolicy; warnings: string[] } {
  const { manifest, value } = understoodOf(set, object);
  invariant(value.kind === 'NetworkPolicy', 'it is a policy');
  return { policy: buildPolicy(manifest, value.value), warnings: policyWarnings(manifest, value.value) };
}

function serviceOf(set: ChangeSet, object: ApiObject): Service {
  const { manifest, value } = understoodOf(set, object);
  invariant(value.kind === 'Service', 'it is a Service');
  return buildService(manifest, value.value, givenClusterIps(value.value));
}

function podOf(set: ChangeSet, object: ApiObject): Pod {
  const { manifest, value } = understoodOf(set, object);
  const [own] = podPlans(manifest, value);
  invariant(own, 'a pod is a pod');
  const plan = { ...own, owner: ownerOf(set, object) };
  return buildPod(plan, own.spec.hostNetwork === true ? nodeAddresses(plan) : givenAddresses(plan));
}
