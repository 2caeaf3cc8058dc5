import type { SystemObject } from '../../apiserver/system-writes.ts';
import { suffixOf } from '../../manifest/safe-name.ts';
import type { JsonObject } from '../../manifest/json.ts';
import { podKey, type Pod } from '../../model/pod.ts';
import { backends, serviceEndpoints, type Service } from '../../model/service.ts';
import type { Family, IpAddress } from '../../net/ip.ts';
import type { LabView } from '../lab-objects.ts';

/** The node that a lab's pods are on. */
export function nodeObject({ nodeName, startedAt }: LabView, addresses: readonly IpAddress[]): SystemObject {
  const since = { lastHeartbeatTime: startedAt, lastTransitionTime: startedAt };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName, 'kubernetes.io/os': 'linux' } },
    spec: {},
    status: {
      addresses: [
        ...addresses.map(({ text }) => ({ type: 'InternalIP', address: text })),
        { type: 'Hostname', address: nodeName },
      ],
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'the lab runs', ...since }],
    },
  };
}

/** What the endpoints controllers make of a Service that selects pods: its Endpoints, and a slice for each family. */
export function endpointObjects(view: LabView, service: Service): SystemObject[] {
  if (service.selector.kind === 'none' || service.kind.kind === 'external') return [];
  const pods = backends(service, view.cluster.pods);
  const isReady = (pod: Pod): boolean =>
    service.publishNotReadyAddresses || (view.statuses.get(podKey(pod))?.ready ?? false);
  const families = ([4, 6] as const).filter((family) => servesFamily(service, family));
  const [first = 4] = families;
  const { namespace, name } = service;
  const slices = families.flatMap((family) =>
    groupsOf(service, pods, family).map((group, index) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        namespace,
        name: `${name}-${suffixOf(`${podKey(service)}/${family}/${index}`)}`,
        labels: { 'kubernetes.io/service-name': name },
      },
      addressType: `IPv${family}`,
      endpoints: group.members.map(({ pod, address }) => ({
        addresses: [address.text],
        conditions: { ready: isReady(pod), serving: isReady(pod), terminating: false },
        ...placeOf(pod, view.nodeName),
      })),
      ports: group.ports,
    })),
  );
  const subsets = groupsOf(service, pods, first).map(({ ports, members }) => {
    const listed = (ready: boolean): JsonObject[] =>
      members
        .filter(({ pod }) => isReady(pod) === ready)
        .map(({ pod, address }) => ({ ip: address.text, ...placeOf(pod, view.nodeName) }));
    const [addresses, notReadyAddresses] = [listed(true), listed(false)];
    return {
      ...(addresses.length > 0 ? { addresses } : {}),
      ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
      ports,
    };
  });
  return [{ apiVersion: 'v1', kind: 'Endpoints', metadata: { namespace, name }, subsets }, ...slices];
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
