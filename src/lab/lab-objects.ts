import { isObject, type JsonObject, type JsonValue } from '../manifest/json.ts';
import type { ManifestObject } from '../manifest/manifest.ts';
import type { Cluster } from '../model/cluster.ts';
import { podKey, type Pod } from '../model/pod.ts';
import type { Labels } from '../model/selector.ts';
import type { Service } from '../model/service.ts';
import type { LabObject, PodStatus } from './lab-client.ts';

/** What `get` shows of a lab. `createdAt` has a time for every object and pod, by objectKey. */
export interface LabView {
  readonly objects: readonly ManifestObject[];
  readonly cluster: Cluster;
  readonly statuses: ReadonlyMap<string, PodStatus>;
  readonly nodeName: string;
  readonly startedAt: string;
  readonly createdAt: ReadonlyMap<string, string>;
}

/** `KIND/NAMESPACE/NAME`, unique in a lab. */
export function objectKey(object: {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}): string {
  return `${object.kind}/${object.namespace}/${object.name}`;
}

/** The objects of a kind as Kubernetes' API shows them, sorted by namespace and name. Empty for a kind that labs do not have. */
export function objectsOfKind(view: LabView, kind: string): LabObject[] {
  return objectsUnsorted(view, kind).sort(
    (one, other) =>
      compare(one.metadata.namespace ?? '', other.metadata.namespace ?? '') ||
      compare(one.metadata.name, other.metadata.name),
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function objectsUnsorted(view: LabView, kind: string): LabObject[] {
  const written = new Map(
    view.objects.filter((object) => object.kind === kind).map((object) => [podKey(object), object]),
  );
  switch (kind) {
    case 'Namespace':
      return [...view.cluster.namespaces.values()].map(({ name, labels }) =>
        objectOf(
          view,
          { kind, namespace: '', name, labels, written: written.get(`/${name}`) },
          { status: { phase: 'Active' } },
        ),
      );
    case 'Pod':
      return view.cluster.pods.map((pod) => podObject(view, pod, written.get(podKey(pod))));
    case 'Service':
      return view.cluster.services.map((service) => serviceObject(view, service, written.get(podKey(service))));
    case 'NetworkPolicy':
      return [...written.values()].map((object) =>
        objectOf(view, { ...asWritten(object), kind }, { spec: policySpec(object) }),
      );
    default:
      return [...written.values()].map((object) =>
        objectOf(view, { ...asWritten(object), kind }, { status: workloadStatus(view, object) }),
      );
  }
}

interface Described {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly written: ManifestObject | undefined;
}

const CORE_KINDS = new Set(['Namespace', 'Pod', 'Service']);

function objectOf(view: LabView, { kind, namespace, name, labels, written }: Described, fields: JsonObject): LabObject {
  const metadata = written && isObject(written.value.metadata) ? written.value.metadata : {};
  return {
    apiVersion: written?.apiVersion ?? (CORE_KINDS.has(kind) ? 'v1' : ''),
    kind,
    ...(written ? withoutMetadata(written.value) : {}),
    ...fields,
    metadata: {
      ...metadata,
      name,
      ...(namespace === '' ? {} : { namespace }),
      ...(labels.size === 0 ? {} : { labels: Object.fromEntries(labels) }),
      creationTimestamp: view.createdAt.get(objectKey({ kind, namespace, name })) ?? view.startedAt,
    },
  };
}

function withoutMetadata(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([field]) => field !== 'metadata'));
}

function asWritten(object: ManifestObject): Omit<Described, 'kind'> {
  const metadata = object.value.metadata;
  const labels = isObject(metadata) && isObject(metadata.labels) ? metadata.labels : {};
  const pairs = Object.entries(labels).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return { namespace: object.namespace, name: object.name, labels: new Map(pairs), written: object };
}

function podObject(view: LabView, pod: Pod, written: ManifestObject | undefined): LabObject {
  const status = view.statuses.get(podKey(pod));
  const containers = pod.containers.map(({ name, image, command, args, ports }) => ({
    name,
    image,
    ...(command.length > 0 ? { command: [...command] } : {}),
    ...(args.length > 0 ? { args: [...args] } : {}),
    ...(ports.length > 0
      ? {
          ports: ports.map(({ name: portName, protocol, port }) => ({
            ...(portName === '' ? {} : { name: portName }),
            containerPort: port,
            protocol,
          })),
        }
      : {}),
  }));
  const spec =
    written && isObject(written.value.spec) ? written.value.spec : { containers, restartPolicy: pod.restartPolicy };
  const described = { kind: 'Pod', namespace: pod.namespace, name: pod.name, labels: pod.labels, written };
  return objectOf(view, described, { spec: { ...spec, nodeName: view.nodeName }, status: podStatus(pod, status) });
}

function podStatus(pod: Pod, status: PodStatus | undefined): JsonObject {
  const [address] = pod.addresses;
  const [host] = pod.nodeAddresses;
  const ready = status?.ready ?? false;
  return {
    phase: status?.phase ?? pod.phase,
    ...(address ? { podIP: address.text, podIPs: pod.addresses.map(({ text }) => ({ ip: text })) } : {}),
    ...(host ? { hostIP: host.text, hostIPs: pod.nodeAddresses.map(({ text }) => ({ ip: text })) } : {}),
    ...(status ? { startTime: status.startedAt } : {}),
    conditions: [
      { type: 'Ready', status: ready ? 'True' : 'False' },
      { type: 'PodScheduled', status: 'True' },
    ],
    containerStatuses: containerStatuses(pod, status),
    ...(status !== undefined && status.message !== '' ? { reason: status.reason, message: status.message } : {}),
  };
}

function containerStatuses(pod: Pod, status: PodStatus | undefined): JsonValue {
  const main = pod.containers.filter(({ role }) => role !== 'init');
  const phase = status?.phase ?? pod.phase;
  return main.map(({ name, image }, index) => ({
    name,
    image,
    ready: index < (status?.containers.ready ?? 0),
    restartCount: index === 0 ? (status?.restarts ?? 0) : 0,
    state: containerState(phase, status),
  }));
}

function containerState(phase: PodStatus['phase'], status: PodStatus | undefined): JsonObject {
  if (phase === 'Succeeded') return { terminated: { reason: 'Completed', exitCode: 0 } };
  if (phase === 'Failed') return { terminated: { reason: 'Error', exitCode: 1 } };
  const { reason = '', message = '' } = status ?? {};
  if (reason !== '') return { waiting: { reason, message } };
  if (phase === 'Pending') return { waiting: { reason: 'ContainerCreating' } };
  return { running: {} };
}

function serviceObject(view: LabView, service: Service, written: ManifestObject | undefined): LabObject {
  const spec = written && isObject(written.value.spec) ? written.value.spec : {};
  const addresses = service.kind.kind === 'clusterIP' ? service.kind.addresses.map(({ text }) => text) : [];
  const [first] = addresses;
  const clusterIps = first === undefined ? {} : { clusterIP: first, clusterIPs: addresses };
  const ports = service.ports.map(({ name, protocol, port, target }) => ({
    ...(name === '' ? {} : { name }),
    port,
    protocol,
    targetPort: target,
  }));
  const described = written
    ? asWritten(written)
    : { namespace: service.namespace, name: service.name, labels: new Map(), written };
  return objectOf(
    view,
    { ...described, kind: 'Service' },
    { spec: { type: 'ClusterIP', ...spec, ...clusterIps, ports } },
  );
}

/** The policy's spec with its defaults filled in. Source: pkg/apis/networking/v1/defaults.go. */
function policySpec(object: ManifestObject): JsonObject {
  const written = object.value.spec;
  const spec = isObject(written) ? written : {};
  const types = spec.policyTypes;
  if (Array.isArray(types) && types.length > 0) return spec;
  const egress = spec.egress;
  const hasEgress = Array.isArray(egress) && egress.length > 0;
  return { podSelector: {}, ...spec, policyTypes: hasEgress ? ['Ingress', 'Egress'] : ['Ingress'] };
}

function workloadStatus(view: LabView, object: ManifestObject): JsonObject {
  const own = view.cluster.pods.filter(
    ({ namespace, owner }) =>
      namespace === object.namespace && owner.kind === object.kind && owner.name === object.name,
  );
  const statuses = own.flatMap((pod) => view.statuses.get(podKey(pod)) ?? []);
  const ready = statuses.filter((status) => status.ready).length;
  const succeeded = statuses.filter(({ phase }) => phase === 'Succeeded').length;
  switch (object.kind) {
    case 'DaemonSet':
      return { desiredNumberScheduled: own.length, currentNumberScheduled: own.length, numberReady: ready };
    case 'Job':
      return { active: own.length - succeeded, succeeded };
    case 'CronJob':
      return {};
    default:
      return { replicas: own.length, updatedReplicas: own.length, readyReplicas: ready, availableReplicas: ready };
  }
}
