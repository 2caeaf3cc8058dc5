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
const INITIALIZING = 'PodInitializing';

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
  const initContainers = listAt(pod, 'spec', 'initContainers');
  const waitsFor = initContainers.length > 0 ? INITIALIZING : CREATING;
  const counted = [...containers, ...initContainers.filter(isSidecar)];
  const current = initContainers.find((one) => !isSidecar(one) && !report.exitCodes.has(textAt(one, 'name')));
  const statusOf = (container: JsonValue): JsonObject => {
    const index = counted.indexOf(container);
    if (index === -1) return initStatus(container, report, container === current);
    return {
      ...containerStatus(container, containerState(report, textAt(container, 'name'), waitsFor)),
      ready: index < report.containers.ready,
      restartCount: index === 0 ? report.restarts : 0,
    };
  };
  return {
    containerStatuses: containers.map(statusOf),
    ...(initContainers.length > 0 ? { initContainerStatuses: initContainers.map(statusOf) } : {}),
  };
}

/** The status of an init container that ends: one does after the other, and all have once the others run. */
function initStatus(container: JsonValue, report: PodReport, isCurrent: boolean): JsonObject {
  const { phase, reason, message, exitCodes } = report;
  const allEnded = phase === 'Running' || phase === 'Succeeded';
  const exitCode = exitCodes.get(textAt(container, 'name')) ?? (allEnded ? 0 : undefined);
  const waiting =
    isCurrent && reason !== '' ? { reason: reason.replace(/^Init:/, ''), message } : { reason: INITIALIZING };
  const state = exitCode === undefined ? { waiting } : terminated(exitCode);
  return { ...containerStatus(container, state), ready: exitCode === 0, restartCount: 0 };
}

function containerStatus(container: JsonValue, state: JsonObject): JsonObject {
  const image = textAt(container, 'image');
  return { name: textAt(container, 'name'), image, imageID: image, started: state.running !== undefined, state };
}

function isSidecar(container: JsonValue): boolean {
  return textAt(container, 'restartPolicy') === 'Always';
}

function containerState(report: PodReport, name: string, waitsFor: string): JsonObject {
  const { phase, reason, message, startedAt } = report;
  if (phase === 'Succeeded' || phase === 'Failed') {
    return terminated(report.exitCodes.get(name) ?? (phase === 'Succeeded' ? 0 : 1));
  }
  if (reason !== '') return { waiting: { reason, message } };
  if (phase === 'Pending') return { waiting: { reason: waitsFor } };
  return { running: { startedAt: timestamp(startedAt) } };
}

function terminated(exitCode: number): JsonObject {
  return { terminated: { reason: exitCode === 0 ? 'Completed' : 'Error', exitCode } };
}

/** What `status` says of a pod: as the store has it. */
export function podStatusOf(pod: Pod, object: ApiObject): PodStatus {
  const counted = new Set(pod.containers.flatMap(({ role, name }) => (role === 'init' ? [] : name)));
  const all = ['containerStatuses', 'initContainerStatuses'].flatMap((list) => listAt(object, 'status', list));
  const statuses = all.filter((one) => counted.has(textAt(one, 'name')));
  const reason = statuses
    .map((one) => textAt(one, 'state', 'waiting', 'reason'))
    .find((text) => !['', CREATING, INITIALIZING].includes(text));
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
      total: counted.size,
    },
    startedAt: textAt(object, 'status', 'startTime') || textAt(object, 'metadata', 'creationTimestamp'),
  };
}
