import { nameOf, namespaceOf, objectAt, sameJson, uidOf, without, type ApiObject } from '../../apiserver/api-object.ts';
import type { ChangeSet } from '../../apiserver/change-set.ts';
import { birthOf, generationOf } from '../../apiserver/lifecycle.ts';
import { servedKind, type Resource } from '../../apiserver/registry.ts';
import type { JsonObject } from '../../manifest/json.ts';
import { suffixOf } from '../../manifest/safe-name.ts';
import { invariant } from '../../model/invariant.ts';
import { podKey, type Pod } from '../../model/pod.ts';
import { backends, serviceEndpoints, type Service } from '../../model/service.ts';
import { selects } from '../../model/selector.ts';
import type { Family, IpAddress } from '../../net/ip.ts';
import { ownerReference } from './owner.ts';

const SERVICE = servedKind('v1', 'Service');
const ENDPOINTS = servedKind('v1', 'Endpoints');
const SLICE = servedKind('discovery.k8s.io/v1', 'EndpointSlice');

/** What endpoints are made of. */
export interface EndpointFacts {
  readonly nodeName: string;
  /** The pods of a namespace. */
  readonly podsIn: (namespace: string) => readonly Pod[];
  readonly isReady: (pod: Pod) => boolean;
}

/** Writes Endpoints and EndpointSlices of a Service that selects pods, and takes away those that it has no more. */
export function updateEndpoints(set: ChangeSet, service: Service, facts: EndpointFacts): void {
  const object = set.get(SERVICE, service.namespace, service.name);
  invariant(object, `Service ${podKey(service)} is stored`);
  if (service.selector.kind === 'none' || service.kind.kind === 'external') return;
  const pods = backends(service, facts.podsIn(service.namespace));
  const slices = slicesOf(service, pods, facts);
  const names = new Set(slices.map(nameOf));
  for (const { resource, object: own } of set.ownedBy(uidOf(object))) {
    if (resource === SLICE && !names.has(nameOf(own))) set.remove(SLICE, own);
  }
  for (const slice of slices) {
    const metadata = { ...slice.metadata, ownerReferences: [ownerReference(object)] };
    put(set, SLICE, { ...slice, metadata });
  }
  put(set, ENDPOINTS, endpointsOf(service, pods, facts));
}

/** Takes the Endpoints of a Service away that is gone; its slices go with their owner. */
export function removeEndpoints(set: ChangeSet, { namespace, name }: { namespace: string; name: string }): void {
  const endpoints = set.get(ENDPOINTS, namespace, name);
  if (endpoints) set.remove(ENDPOINTS, endpoints);
}

/** Whether the Service leads to the pod. */
export function leadsTo(service: Service, pod: Pod): boolean {
  const { namespace, selector } = service;
  return namespace === pod.namespace && selector.kind === 'pods' && selects(selector.selector, pod.labels);
}

/** Stores what a controller says, unless the store says so already. */
function put(set: ChangeSet, resource: Resource, object: ApiObject): void {
  const before = set.get(resource, namespaceOf(object), nameOf(object));
  const said = (one: ApiObject): JsonObject => ({
    ...without(one, 'metadata'),
    labels: objectAt(one, 'metadata', 'labels'),
  });
  if (before && sameJson(said(before), said(object))) return;
  const metadata = { ...object.metadata, ...birthOf(set, before), ...generationOf(resource, before, object) };
  set.put(resource, { ...object, metadata });
}

function slicesOf(service: Service, pods: readonly Pod[], { nodeName, isReady }: EndpointFacts): ApiObject[] {
  const { namespace, name } = service;
  return ([4, 6] as const)
    .filter((family) => servesFamily(service, family))
    .flatMap((family) =>
      groupsOf(service, pods, family).map((group, index) => ({
        addressType: `IPv${family}`,
        apiVersion: 'discovery.k8s.io/v1',
        endpoints: group.members.map(({ pod, address }) => ({
          addresses: [address.text],
          conditions: {
            ready: service.publishNotReadyAddresses || isReady(pod),
            serving: isReady(pod),
            terminating: false,
          },
          ...placeOf(pod, nodeName),
        })),
        kind: 'EndpointSlice',
        metadata: {
          namespace,
          name: `${name}-${suffixOf(`${podKey(service)}/${family}/${index}`)}`,
          labels: {
            'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
            'kubernetes.io/service-name': name,
          },
        },
        ports: group.ports,
      })),
    );
}

function endpointsOf(service: Service, pods: readonly Pod[], { nodeName, isReady }: EndpointFacts): ApiObject {
  const [first = 4] = ([4, 6] as const).filter((family) => servesFamily(service, family));
  const counts = (pod: Pod): boolean => service.publishNotReadyAddresses || isReady(pod);
  const subsets = groupsOf(service, pods, first).map(({ ports, members }) => {
    const listed = (ready: boolean): JsonObject[] =>
      members
        .filter(({ pod }) => counts(pod) === ready)
        .map(({ pod, address }) => ({ ip: address.text, ...placeOf(pod, nodeName) }));
    const [addresses, notReadyAddresses] = [listed(true), listed(false)];
    return {
      ...(addresses.length > 0 ? { addresses } : {}),
      ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
      ports,
    };
  });
  const { namespace, name } = service;
  return { apiVersion: 'v1', kind: 'Endpoints', metadata: { namespace, name }, subsets };
}

interface Group {
  readonly ports: JsonObject[];
  readonly members: { readonly pod: Pod; readonly address: IpAddress }[];
}

/** The pods behind a Service by the ports that they serve: a named target port may be another on each. */
function groupsOf(service: Service, pods: readonly Pod[], family: Family): Group[] {
  const groups = new Map<string, Group>();
  for (const pod of pods) {
    const address = pod.addresses.find((candidate) => candidate.family === family);
    const ports = service.ports.flatMap((port) =>
      serviceEndpoints(port, [pod], family).map(({ port: number }) => ({
        ...(port.name === '' ? {} : { name: port.name }),
        port: number,
        protocol: port.protocol,
      })),
    );
    if (!address || (ports.length === 0 && service.ports.length > 0)) continue;
    const key = JSON.stringify(ports);
    const group: Group = groups.get(key) ?? { ports, members: [] };
    group.members.push({ pod, address });
    groups.set(key, group);
  }
  return [...groups.values()];
}

function servesFamily({ kind }: Service, family: Family): boolean {
  return kind.kind !== 'clusterIP' || kind.addresses.some((address) => address.family === family);
}

function placeOf({ namespace, name }: Pod, nodeName: string): JsonObject {
  return { nodeName, targetRef: { kind: 'Pod', namespace, name } };
}
