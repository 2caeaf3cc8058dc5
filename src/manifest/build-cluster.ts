import type { IpAddress } from '../net/ip.ts';
import type { Cluster, Namespace } from '../model/cluster.ts';
import { podKey, type Pod } from '../model/pod.ts';
import type { NetworkPolicy } from '../model/policy.ts';
import type { Service } from '../model/service.ts';
import { POD_NETWORKS, SERVICE_NETWORKS, type AddressPool } from './address-pool.ts';
import { buildPod, givenAddresses, phaseOf, nodeAddresses } from './build-pod.ts';
import { buildPolicy, policyWarnings } from './build-policy.ts';
import { buildService, givenClusterIps, hasClusterIp, wantsFamily } from './build-service.ts';
import { Controllers } from './controllers.ts';
import type { FieldPath } from './field-path.ts';
import { duplicate, invalid, type Finding } from './finding.ts';
import type { Issue } from './issue.ts';
import { issueOf, objectKey, type ManifestObject } from './manifest-object.ts';
import { podCount, podPlans, type PodPlan } from './pod-plan.ts';
import type { ServiceManifest } from './service-schema.ts';
import { readObject, type Understood } from './validate.ts';

/** A cluster, and what was left out of it. With any issue it is not to be enforced. */
export interface BuiltCluster {
  readonly cluster: Cluster;
  readonly issues: readonly Issue[];
  readonly warnings: readonly string[];
}

// As many pods as there are addresses for; more would only be refused one by one.
const MAX_PODS_OF_A_WORKLOAD = 65_533;

/**
 * Validates the objects and makes a cluster of them. The last object of a kind, namespace and name counts, in the
 * place of the first. Objects with issues are left out. A workload whose pods, ReplicaSet or Job are among the objects
 * makes no others. The pool afterwards has this cluster's addresses and no others.
 * Running pods whose status gives neither address nor node are on the pool's node.
 * @param finished keys of pods that have finished since they were written: they hold no address any more.
 */
export function buildCluster(
  objects: readonly ManifestObject[],
  pool: AddressPool,
  finished: ReadonlySet<string> = new Set(),
): BuiltCluster {
  const all = latest(objects);
  const builder = new ClusterBuilder(pool, finished, new Controllers(all));
  for (const object of all) builder.add(object);
  return builder.build();
}

function latest(objects: readonly ManifestObject[]): ManifestObject[] {
  return [...new Map(objects.map((object) => [objectKey(object), object])).values()];
}

interface PlannedPod {
  readonly object: ManifestObject;
  readonly plan: PodPlan;
}

interface PlannedService {
  readonly object: ManifestObject;
  readonly manifest: ServiceManifest;
}

class ClusterBuilder {
  readonly #pool: AddressPool;
  readonly #finished: ReadonlySet<string>;
  readonly #controllers: Controllers;
  readonly #namespaces = new Map<string, Namespace>();
  readonly #pods = new Map<string, PlannedPod>();
  readonly #services: PlannedService[] = [];
  readonly #policies: NetworkPolicy[] = [];
  readonly #issues: Issue[] = [];
  readonly #warnings: string[] = [];

  constructor(pool: AddressPool, finished: ReadonlySet<string>, controllers: Controllers) {
    this.#pool = pool;
    this.#finished = finished;
    this.#controllers = controllers;
    this.#useNamespace('default');
    this.#useNamespace('kube-system');
  }

  add(object: ManifestObject): void {
    const reading = readObject(object);
    if (reading.kind === 'refused') {
      this.#issues.push(...reading.issues);
      return;
    }
    if (object.namespace !== '') this.#useNamespace(object.namespace);
    const understood = reading.object;
    switch (understood.kind) {
      case 'Namespace':
        this.#namespaces.set(object.name, namespaceOf(object.name, understood.value.metadata?.labels));
        break;
      case 'Service':
        this.#services.push({ object, manifest: understood.value });
        break;
      case 'NetworkPolicy':
        this.#policies.push(buildPolicy(object, understood.value));
        this.#warnings.push(...policyWarnings(object, understood.value));
        break;
      default:
        if (!this.#controllers.hasMade(object)) this.#addPods(object, understood);
    }
  }

  build(): BuiltCluster {
    const cluster: Cluster = {
      namespaces: this.#namespaces,
      pods: this.#buildPods(),
      services: this.#buildServices(),
      policies: this.#policies,
    };
    return { cluster, issues: this.#issues, warnings: this.#warnings };
  }

  #useNamespace(name: string): void {
    if (!this.#namespaces.has(name)) this.#namespaces.set(name, namespaceOf(name, {}));
  }

  #addPods(object: ManifestObject, understood: Understood): void {
    const count = podCount(understood);
    if (count > MAX_PODS_OF_A_WORKLOAD) {
      const rule = `must be less than or equal to ${MAX_PODS_OF_A_WORKLOAD}: ${POD_NETWORKS[0]} has no more addresses`;
      this.#report(object, invalid(['spec'], count, rule));
      return;
    }
    const { kind, name } = this.#controllers.workloadOf(object);
    for (const own of podPlans(object, understood)) {
      const plan = { ...own, owner: { kind, name } };
      const key = podKey(plan);
      const other = this.#pods.get(key);
      if (other) this.#report(object, said(duplicate(['metadata', 'name'], plan.name), ownerText(other.plan)));
      else this.#pods.set(key, { object, plan });
    }
  }

  /** First those whose addresses are written down: what is handed out afterwards avoids them. */
  #buildPods(): Pod[] {
    const holders = [...this.#pods].filter(([key, { plan }]) => holdsAddress(plan) && !this.#finished.has(key));
    this.#pool.retainPods(new Set(holders.map(([key]) => key)));
    for (const [key, { object, plan }] of holders) {
      const addresses = givenAddresses(plan);
      const other = addresses.length > 0 ? this.#pool.reservePod(key, addresses) : undefined;
      if (other !== undefined) {
        const field = object.kind === 'Pod' && plan.status.podIPs ? 'podIPs' : 'podIP';
        this.#reportTaken(object, ['status', field], { addresses, other: `pod ${other}` });
      }
    }
    return [...this.#pods].map(([key, { object, plan }]) => {
      const placed = this.#placed(key, plan);
      return buildPod(placed, this.#podAddresses(key, object, placed));
    });
  }

  /** On the pool's node if the pod runs, and its status says neither on which nor at which address. */
  #placed(key: string, plan: PodPlan): PodPlan {
    const isKnown = nodeAddresses(plan).length > 0 || givenAddresses(plan).length > 0;
    if (isKnown || !this.#runs(key, plan)) return plan;
    return { ...plan, status: { ...plan.status, hostIPs: this.#pool.gateways.map(({ text }) => ({ ip: text })) } };
  }

  #runs(key: string, plan: PodPlan): boolean {
    return phaseOf(plan) === 'Running' && !this.#finished.has(key);
  }

  #podAddresses(key: string, object: ManifestObject, plan: PodPlan): readonly IpAddress[] {
    if (plan.spec.hostNetwork === true) return nodeAddresses(plan);
    const given = givenAddresses(plan);
    // A pod that is not running has the address that is written, or none.
    if (given.length > 0 || !this.#runs(key, plan)) return given;
    const addresses = this.#pool.podAddresses(key);
    if (addresses.length === 0) this.#reportExhausted(object, plan.name, POD_NETWORKS);
    return addresses;
  }

  #buildServices(): Service[] {
    const holders = this.#services.filter(({ manifest }) => hasClusterIp(manifest));
    this.#pool.retainServices(new Set(holders.map(({ object }) => podKey(object))));
    for (const { object, manifest } of holders) {
      const addresses = givenClusterIps(manifest);
      const other = addresses.length > 0 ? this.#pool.reserveService(podKey(object), addresses) : undefined;
      if (other !== undefined)
        this.#reportTaken(object, ['spec', 'clusterIP'], { addresses, other: `Service ${other}` });
    }
    return this.#services.map(({ object, manifest }) =>
      buildService(object, manifest, hasClusterIp(manifest) ? this.#serviceAddresses(object, manifest) : []),
    );
  }

  #serviceAddresses(object: ManifestObject, manifest: ServiceManifest): readonly IpAddress[] {
    const given = givenClusterIps(manifest);
    if (given.length > 0) return given;
    const addresses = this.#pool.serviceAddresses(podKey(object));
    if (addresses.length === 0) this.#reportExhausted(object, object.name, SERVICE_NETWORKS);
    return addresses.filter((address) => wantsFamily(manifest, address));
  }

  #reportTaken(
    object: ManifestObject,
    path: FieldPath,
    taken: { addresses: readonly IpAddress[]; other: string },
  ): void {
    const value = taken.addresses.map(({ text }) => text).join(',');
    this.#report(object, said(duplicate(path, value), `${taken.other} has this address`));
  }

  #reportExhausted(object: ManifestObject, name: string, networks: readonly string[]): void {
    this.#report(object, invalid(['metadata', 'name'], name, `no address is left in ${networks.join(' and ')}`));
  }

  #report(object: ManifestObject, finding: Finding): void {
    this.#issues.push(issueOf(object, finding));
  }
}

/** A namespace with these labels, and with its name as every namespace has it for one. */
export function namespaceOf(name: string, labels: Readonly<Record<string, string>> = {}): Namespace {
  return { name, labels: new Map(Object.entries({ ...labels, 'kubernetes.io/metadata.name': name })) };
}

/** Whether the pod is to have an address that no other pod has. */
function holdsAddress(plan: PodPlan): boolean {
  const phase = phaseOf(plan);
  return plan.spec.hostNetwork !== true && (phase === 'Running' || phase === 'Pending');
}

function ownerText({ owner, name }: PodPlan): string {
  return owner.kind === 'Pod' ? `there is a Pod ${name}` : `the ${owner.kind} ${owner.name} has a pod of this name`;
}

function said(finding: Finding, detail: string): Finding {
  return { ...finding, message: `${finding.message}: ${detail}` };
}
