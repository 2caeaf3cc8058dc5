import { Enforcer } from '../cni/enforcer.ts';
import type { CniName } from '../cni/profile.ts';
import type { ServiceRule } from '../dataplane/firewall.ts';
import type { KubeObject } from '../kube/list-watch.ts';
import { POD_NETWORK_LENGTH } from '../manifest/address-pool.ts';
import { issueText } from '../manifest/issue.ts';
import { isFinished, podKey, type Pod } from '../model/pod.ts';
import type { NetworkPolicy } from '../model/policy.ts';
import type { IpAddress } from '../net/ip.ts';
import { prefixOf } from '../net/prefix.ts';
import { EVERYTHING } from '../model/selector.ts';
import { LiveTable } from '../table/live-table.ts';
import { buildKubeObject, keyOf, SOURCE, type FollowedName } from './followed.ts';
import { ServiceView } from './service-view.ts';

/**
 * The cluster as one pod's proxy sees it: the decision table of that pod, and the Services' endpoints. What cannot be
 * understood fails closed: a policy isolates its namespace and allows nothing, a pod or a namespace is nobody's peer.
 */
export class PodView {
  readonly table: LiveTable;
  readonly #key: string;
  readonly #addresses: readonly IpAddress[];
  readonly #services = new ServiceView();
  /** Policies by key as the API has them; in the table are those that are enforced. */
  readonly #policies = new Map<string, NetworkPolicy>();
  #enforcer = new Enforcer('reference');
  /** Pods by key as the API has them; in the table are those whose namespace is known. */
  readonly #pods = new Map<string, Pod>();
  readonly #namespaces = new Set<string>();
  readonly #unreadable = new Map<string, string>();

  /**
   * @param key the pod's own, NAMESPACE/NAME.
   * @param addresses those that it has, whatever the API says.
   */
  constructor(key: string, addresses: readonly IpAddress[]) {
    this.#key = key;
    this.#addresses = addresses;
    this.table = new LiveTable({ subjects: (pod) => podKey(pod) === key });
  }

  /** The pod itself, if the table has it and policies hold for it; else nothing may pass. */
  get self(): Pod | undefined {
    const pod = this.#pods.get(this.#key);
    return pod && this.#namespaces.has(pod.namespace) && !isFinished(pod) && !pod.hostNetwork ? pod : undefined;
  }

  /** Whether the pod has ended for good. */
  get hasFinished(): boolean {
    const pod = this.#pods.get(this.#key);
    return pod !== undefined && isFinished(pod);
  }

  /** Has policies enforced as a CNI does, those too that are known already. */
  enforceAs(cni: CniName): void {
    // A pod may be there before the API tells of it: all that its network can hold counts as pods.
    const networks = this.#addresses.map((address) => prefixOf(address, POD_NETWORK_LENGTH[address.family]));
    this.#enforcer = new Enforcer(cni, networks);
    for (const policy of this.#policies.values()) this.#putPolicy(policy);
  }

  /** The Services' ports and ready endpoints. */
  get serviceRules(): ServiceRule[] {
    return this.#services.rules();
  }

  /** What could not be understood, a line each. */
  get complaints(): readonly string[] {
    return [...this.#unreadable.values()];
  }

  /** Takes all objects of a resource, in place of those before. */
  replace(name: FollowedName, objects: readonly KubeObject[]): void {
    const listed = new Set(objects.map(keyOf));
    for (const key of this.#keysOf(name)) if (!listed.has(key)) this.#forget(name, key);
    for (const object of objects) this.put(name, object);
  }

  /** Takes an object, new or changed. */
  put(name: FollowedName, object: KubeObject): void {
    const key = keyOf(object);
    this.#unreadable.delete(`${name} ${key}`);
    if (name === 'endpointslices') {
      this.#services.putSlice(key, object);
      return;
    }
    const built = buildKubeObject(object);
    switch (built.kind) {
      case 'namespace':
        this.table.setNamespace(built.namespace);
        this.#admit(built.namespace.name);
        break;
      case 'pod':
        this.#putPod(key, built.pod);
        break;
      case 'service':
        this.#services.putService(key, built.service);
        break;
      case 'policy':
        this.#putPolicy(built.policy);
        break;
      case 'refused':
        this.#unreadable.set(`${name} ${key}`, built.issues.map(issueText).join('; '));
        this.#forget(name, key);
        if (name === 'networkpolicies') this.#putPolicy(closedPolicy(object));
    }
  }

  /** Takes note that an object is gone. */
  remove(name: FollowedName, object: KubeObject): void {
    this.#unreadable.delete(`${name} ${keyOf(object)}`);
    this.#forget(name, keyOf(object));
  }

  #putPod(key: string, given: Pod): void {
    // Nobody else has this pod's addresses, whatever is said of him: its policies hold for them.
    const others = given.addresses.filter((address) => !this.#addresses.some(({ text }) => text === address.text));
    const pod = { ...given, addresses: key === this.#key ? this.#addresses : others };
    this.#pods.set(key, pod);
    if (this.#namespaces.has(pod.namespace)) this.table.setPod(pod);
  }

  #putPolicy(policy: NetworkPolicy): void {
    this.#policies.set(podKey(policy), policy);
    const enforced = this.#enforcer.policy(policy);
    if (enforced) this.table.setPolicy(enforced);
    else this.table.removePolicy(podKey(policy));
  }

  /** The labels of the namespace are known: its pods can be peers. */
  #admit(namespace: string): void {
    if (this.#namespaces.has(namespace)) return;
    this.#namespaces.add(namespace);
    for (const pod of this.#pods.values()) if (pod.namespace === namespace) this.table.setPod(pod);
  }

  #forget(name: FollowedName, key: string): void {
    switch (name) {
      case 'namespaces':
        this.#namespaces.delete(nameIn(key));
        // Its labels are not known any more: to a selector that asks for their absence its pods would look right.
        for (const [podName, pod] of this.#pods) if (pod.namespace === nameIn(key)) this.table.removePod(podName);
        this.table.removeNamespace(nameIn(key));
        break;
      case 'pods':
        this.#pods.delete(key);
        this.table.removePod(key);
        break;
      case 'services':
        this.#services.removeService(key);
        break;
      case 'endpointslices':
        this.#services.removeSlice(key);
        break;
      case 'networkpolicies':
        this.#policies.delete(key);
        this.table.removePolicy(key);
    }
  }

  #keysOf(name: FollowedName): string[] {
    switch (name) {
      case 'namespaces':
        return [...this.#namespaces].map((namespace) => `/${namespace}`);
      case 'pods':
        return [...this.#pods.keys()];
      case 'services':
        return this.#services.serviceKeys;
      case 'endpointslices':
        return this.#services.sliceKeys;
      case 'networkpolicies':
        return [...this.#policies.keys()];
    }
  }
}

/** In place of a policy that cannot be understood: its namespace is isolated and the policy allows nothing. */
function closedPolicy({ metadata }: KubeObject): NetworkPolicy {
  const closed = { kind: 'isolates', rules: [] } as const;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    podSelector: EVERYTHING,
    ingress: closed,
    egress: closed,
    source: SOURCE,
  };
}

function nameIn(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}
