import {
  at,
  listAt,
  numberAt,
  objectAt,
  sameJson,
  textAt,
  without,
  type ApiObject,
} from '../../apiserver/api-object.ts';
import { timestamp } from '../../apiserver/lifecycle.ts';
import type { JsonObject, JsonValue } from '../../manifest/json.ts';
import type { Pod } from '../../model/pod.ts';
import type { IpAddress } from '../../net/ip.ts';
import type { PodStatus } from '../lab-client.ts';
import type { PodReport } from './backend.ts';
import { isReady } from './workload-pods.ts';

const CREATING = 'ContainerCreating';

/** The pod with the status that a kubelet would write of it. @returns the same object if that says nothing new. */
export function reported(pod: ApiObject, report: PodReport, now: Date): ApiObject {
  const { phase, ready, reason, message, startedAt } = report;
  const started = phase !== 'Pending';
  const holds = (type: string, value: boolean): JsonObject => condition(pod, { type, value, now });
  const status = {
    ...without(objectAt(pod, 'status'), 'reason', 'message'),
    phase,
    startTime: timestamp(startedAt),
    conditions: [
      holds('PodReadyToStartContainers', true),
      holds('Initialized', started),
      holds('Ready', ready),
      holds('ContainersReady', ready),
      holds('PodScheduled', true),
    ],
    ...containerStatuses(pod, report),
    ...(report.addresses ? addressFields(report.addresses) : {}),
    ...(message === '' ? {} : { reason, message }),
  };
  return sameJson(status, pod.status) ? pod : { ...pod, status };
}

function addressFields(addresses: readonly IpAddress[]): JsonObject {
  const [first] = addresses;
  return first ? { podIP: first.text, podIPs: addresses.map(({ text }) => ({ ip: text })) } : {};
}

/** The condition, with the time of its last change. */
function condition(
  pod: ApiObject,
  { type, value, now }: { readonly type: string; readonly value: boolean; readonly now: Date },
): JsonObject {
  const before = listAt(pod, 'status', 'conditions').find((one) => textAt(one, 'type') === type);
  const status = value ? 'True' : 'False';
  const since = textAt(before, 'status') === status ? at(before, 'lastTransitionTime') : undefined;
  return { type, status, lastProbeTime: null, lastTransitionTime: since ?? timestamp(now) };
}

/** Sidecars are among the init containers, and stand last in the report's counts. */
function containerStatuses(pod: ApiObject, report: PodReport): JsonObject {
  const containers = listAt(pod, 'spec', 'containers');
  const sidecars = listAt(pod, 'spec', 'initContainers').filter((one) => textAt(one, 'restartPolicy') === 'Always');
  const all = [...containers, ...sidecars].map((container, index) => containerStatus(container, report, index));
  return {
    containerStatuses: all.slice(0, containers.length),
    ...(sidecars.length > 0 ? { initContainerStatuses: all.slice(containers.length) } : {}),
  };
}

function containerStatus(container: JsonValue, report: PodReport, index: number): JsonObject {
  const image = textAt(container, 'image');
  const name = textAt(container, 'name');
  return {
    name,
    image,
    imageID: image,
    ready: index < report.containers.ready,
    restartCount: index === 0 ? report.restarts : 0,
    state: containerState(report, name),
  };
}

function containerState(report: PodReport, name: string): JsonObject {
  const { phase, reason, message, startedAt } = report;
  if (phase === 'Succeeded' || phase === 'Failed') {
    const exitCode = report.exitCodes.get(name) ?? (phase === 'Succeeded' ? 0 : 1);
    return { terminated: { reason: exitCode === 0 ? 'Completed' : 'Error', exitCode } };
  }
  if (reason !== '') return { waiting: { reason, message } };
  if (phase === 'Pending') return { waiting: { reason: CREATING } };
  return { running: { startedAt: timestamp(startedAt) } };
}

/** What `status` says of a pod: as the store has it. */
export function podStatusOf(pod: Pod, object: ApiObject): PodStatus {
  const statuses = ['containerStatuses', 'initContainerStatuses'].flatMap((list) => listAt(object, 'status', list));
  const waiting = statuses.map((one) => objectAt(one, 'state', 'waiting'));
  const reason = waiting.map((one) => textAt(one, 'reason')).find((text) => text !== '' && text !== CREATING);
  return {
    namespace: pod.namespace,
    name: pod.name,
    owner: pod.owner,
    labels: Object.fromEntries(pod.labels),
    addresses: pod.addresses.map(({ text }) => text),
    phase: pod.phase,
    ready: isReady(object),
    restarts: statuses.reduce<number>((sum, one) => sum + numberAt(one, 'restartCount'), 0),
    reason: reason ?? '',
    message: textAt(object, 'status', 'message'),
    containers: {
      ready: statuses.filter((one) => at(one, 'ready') === true).length,
      total: pod.containers.filter(({ role }) => role !== 'init').length,
    },
    startedAt: textAt(object, 'status', 'startTime') || textAt(object, 'metadata', 'creationTimestamp'),
  };
}
