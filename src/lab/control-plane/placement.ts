import { listAt, nameOf, namespaceOf, objectAt, textAt, type ApiObject } from '../../apiserver/api-object.ts';
import type { ChangeSet } from '../../apiserver/change-set.ts';
import type { ObjectChange } from '../../apiserver/object-store.ts';
import { servedKind } from '../../apiserver/registry.ts';
import { SERVICE_NETWORKS, type AddressPool } from '../../manifest/address-pool.ts';
import { givenClusterIps, hasClusterIp, wantsFamily } from '../../manifest/build-service.ts';
import { duplicate, invalid, type Finding } from '../../manifest/finding.ts';
import type { Issue } from '../../manifest/issue.ts';
import type { JsonObject, JsonValue } from '../../manifest/json.ts';
import { issueOf } from '../../manifest/manifest-object.ts';
import type { ServiceManifest } from '../../manifest/service-schema.ts';
import { podKey } from '../../model/pod.ts';
import { parseIp, type IpAddress } from '../../net/ip.ts';
import type { NodeFacts } from './backend.ts';
import { sourced } from './origin.ts';
import { isOver } from './workload-pods.ts';

const POD = servedKind('v1', 'Pod');
const SERVICE = servedKind('v1', 'Service');

/** What scheduler, network plugin and the allocator of Service addresses do: pods get a node and addresses, Services addresses. */
export class Placement {
  readonly #pool: AddressPool;
  readonly #node: NodeFacts;
  readonly #givesPodAddresses: boolean;

  /** @param givesPodAddresses false if pods have addresses from elsewhere, and report them. */
  constructor(pool: AddressPool, node: NodeFacts, givesPodAddresses: boolean) {
    this.#pool = pool;
    this.#node = node;
    this.#givesPodAddresses = givesPodAddresses;
  }

  /** Places what is new in the set. @returns what stands against it; then the set is not to be used. */
  place(set: ChangeSet): Issue[] {
    return set.changes.flatMap((change) => {
      const { resource, after } = change;
      if (!after) return [];
      const finding =
        resource.kind === 'Pod'
          ? this.#placePod(set, change, after)
          : resource.kind === 'Service'
            ? this.#placeService(set, change, after)
            : undefined;
      if (!finding) return [];
      const origin = set.originOf(resource, namespaceOf(after), nameOf(after));
      return [issueOf(sourced(after, origin), finding)];
    });
  }

  /** Takes the addresses that stored pods and Services have, and makes the pods start anew where they are. */
  resume(set: ChangeSet): void {
    for (const service of set.list(SERVICE)) this.#pool.reserveService(keyOf(service), givenClusterIps(service));
    for (const pod of set.list(POD)) {
      if (holdsAddress(pod)) this.#pool.reservePod(keyOf(pod), givenTo(pod));
      set.put(POD, isOver(pod) ? { ...pod } : { ...pod, status: this.#firstStatus(pod, givenTo(pod)) });
    }
  }

  /** Frees the addresses of what is gone once the changes are made, or of what was new in changes that are not made. */
  settle(set: ChangeSet, { made }: { readonly made: boolean }): void {
    for (const { resource, before, after } of set.changes) {
      const object = after ?? before;
      if (!object) continue;
      const there = made ? set.get(resource, namespaceOf(object), nameOf(object)) : before;
      if (resource.kind === 'Pod' && !(there && holdsAddress(there))) this.#pool.releasePod(keyOf(object));
      if (resource.kind === 'Service' && !(there && hasClusterIp(there))) {
        this.#pool.releaseService(keyOf(object));
      }
    }
  }

  #placePod(set: ChangeSet, { resource, before }: ObjectChange, pod: ApiObject): Finding | undefined {
    if (before || isPlaced(pod)) return undefined;
    const own = isOver(pod) ? givenTo(pod) : this.#podAddresses(pod);
    if (!Array.isArray(own)) return own;
    const spec = { ...objectAt(pod, 'spec'), nodeName: this.#node.name };
    set.put(resource, { ...pod, spec, status: this.#firstStatus(pod, own) });
    return undefined;
  }

  #podAddresses(pod: ApiObject): IpAddress[] | Finding {
    if (pod.spec !== undefined && objectAt(pod, 'spec').hostNetwork === true) return [...this.#node.addresses];
    const [key, given] = [keyOf(pod), givenTo(pod)];
    if (given.length > 0) {
      const other = this.#pool.reservePod(key, given);
      const field = objectAt(pod, 'status').podIPs === undefined ? 'podIP' : 'podIPs';
      return other === undefined ? given : taken(['status', field], given, `pod ${other}`);
    }
    if (!this.#givesPodAddresses) return [];
    const addresses = this.#pool.podAddresses(key);
    return addresses.length > 0 ? addresses : exhausted(pod, this.#pool.podNetworks);
  }

  #firstStatus(pod: ApiObject, own: readonly IpAddress[]): JsonObject {
    const now = textAt(pod, 'metadata', 'creationTimestamp');
    const [first] = own;
    const [host] = this.#node.addresses;
    return {
      phase: isOver(pod) ? textAt(pod, 'status', 'phase') : 'Pending',
      qosClass: 'BestEffort',
      conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: now }],
      ...(host ? { hostIP: host.text, hostIPs: ipList(this.#node.addresses) } : {}),
      ...(first ? { podIP: first.text, podIPs: ipList(own) } : {}),
    };
  }

  #placeService(set: ChangeSet, { resource }: ObjectChange, service: ApiObject): Finding | undefined {
    const manifest = service as ServiceManifest; // it has been validated
    if (!hasClusterIp(manifest)) return undefined;
    const given = givenClusterIps(manifest);
    const key = keyOf(service);
    const other = given.length > 0 ? this.#pool.reserveService(key, given) : undefined;
    if (other !== undefined) return taken(['spec', 'clusterIP'], given, `Service ${other}`);
    const all = given.length > 0 ? given : this.#pool.serviceAddresses(key);
    const own = given.length > 0 ? given : all.filter((address) => wantsFamily(manifest, address));
    const [first] = own;
    if (!first) return exhausted(service, SERVICE_NETWORKS);
    const texts = own.map(({ text }) => text);
    const spec = objectAt(service, 'spec');
    const families = own.map(({ family }) => `IPv${family}`);
    const filled = {
      ...spec,
      clusterIP: first.text,
      clusterIPs: texts,
      ipFamilies: families,
      ipFamilyPolicy: textAt(spec, 'ipFamilyPolicy') || (own.length > 1 ? 'PreferDualStack' : 'SingleStack'),
    };
    set.put(resource, { ...service, spec: filled });
    return undefined;
  }
}

function isPlaced(pod: ApiObject): boolean {
  return listAt(pod, 'status', 'conditions').some((one) => textAt(one, 'type') === 'PodScheduled');
}

/** Whether no other pod may have the pod's address. */
function holdsAddress(pod: ApiObject): boolean {
  return objectAt(pod, 'spec').hostNetwork !== true && !isOver(pod);
}

/** The addresses that a pod's status has. */
function givenTo(pod: ApiObject): IpAddress[] {
  const { podIPs = [], podIP = '' } = objectAt(pod, 'status');
  const listed = Array.isArray(podIPs) ? podIPs.map((one: JsonValue) => textAt(one, 'ip')) : [];
  const texts = listed.length > 0 ? listed : [podIP];
  return texts.flatMap((text) => (typeof text === 'string' ? (parseIp(text) ?? []) : []));
}

function ipList(addresses: readonly IpAddress[]): JsonValue {
  return addresses.map(({ text }) => ({ ip: text }));
}

function keyOf(object: ApiObject): string {
  return podKey({ namespace: namespaceOf(object), name: nameOf(object) });
}

function taken(path: readonly string[], addresses: readonly IpAddress[], by: string): Finding {
  const finding = duplicate(path, addresses.map(({ text }) => text).join(','));
  return { ...finding, message: `${finding.message}: ${by} has this address` };
}

function exhausted(object: ApiObject, networks: readonly string[]): Finding {
  return invalid(['metadata', 'name'], nameOf(object), `no address is left in ${networks.join(' and ')}`);
}
