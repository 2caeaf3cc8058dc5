import { listAt, nameOf, numberAt, sameJson, textAt, type ApiObject } from '../../apiserver/api-object.ts';
import type { ChangeSet } from '../../apiserver/change-set.ts';
import { timestamp } from '../../apiserver/lifecycle.ts';
import type { JsonObject } from '../../manifest/json.ts';
import { currentReplicaSet, deploymentConditions, replicaSetsOf } from './deployment.ts';
import { isOver, isReady, podsOf, REVISION_LABEL, replicasOf } from './workload-pods.ts';
import { revisionOf, touched } from './workloads.ts';

type StatusOf = (set: ChangeSet, workload: ApiObject, now: string) => JsonObject;

// What is made of others' status comes after them.
const STATUSES: readonly (readonly [string, StatusOf])[] = [
  ['ReplicaSet', replicaStatus],
  ['ReplicationController', replicaStatus],
  ['StatefulSet', statefulSetStatus],
  ['DaemonSet', daemonSetStatus],
  ['Job', jobStatus],
  ['Deployment', deploymentStatus],
  ['CronJob', cronJobStatus],
];

/** Writes the status of the workloads that the set touches. */
export function updateStatuses(set: ChangeSet): void {
  const now = timestamp(set.now());
  for (const [kind, statusOf] of STATUSES) {
    for (const { resource, object } of touched(set, kind)) {
      const status = nonZero(statusOf(set, object, now));
      if (!sameJson(status, object.status)) set.put(resource, { ...object, status });
    }
  }
}

// Counts that Go leaves out where they are 0.
const OMITTED = [
  'readyReplicas',
  'availableReplicas',
  'updatedReplicas',
  'unavailableReplicas',
  'fullyLabeledReplicas',
];

function nonZero(status: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(status).filter(([name, value]) => value !== 0 || !OMITTED.includes(name)));
}

function observed(workload: ApiObject): JsonObject {
  return { observedGeneration: numberAt(workload, 'metadata', 'generation') };
}

function replicaStatus(set: ChangeSet, workload: ApiObject): JsonObject {
  const pods = podsOf(set, workload).filter((pod) => !isOver(pod));
  const ready = pods.filter(isReady).length;
  return {
    ...observed(workload),
    replicas: pods.length,
    fullyLabeledReplicas: pods.length,
    readyReplicas: ready,
    availableReplicas: ready,
  };
}

function deploymentStatus(set: ChangeSet, deployment: ApiObject, now: string): JsonObject {
  const all = replicaSetsOf(set, deployment);
  const current = currentReplicaSet(set, deployment);
  const sum = (field: string): number => all.reduce((total, one) => total + numberAt(one, 'status', field), 0);
  const available = sum('availableReplicas');
  const updated = numberAt(current, 'status', 'replicas');
  return {
    ...observed(deployment),
    replicas: sum('replicas'),
    updatedReplicas: updated,
    readyReplicas: sum('readyReplicas'),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, replicasOf(deployment) - available),
    conditions: deploymentConditions(deployment, { available, updated, now }),
  };
}

function statefulSetStatus(set: ChangeSet, workload: ApiObject): JsonObject {
  const pods = podsOf(set, workload);
  const ready = pods.filter(isReady).length;
  const revision = revisionOf(workload);
  const updated = pods.filter((pod) => textAt(pod, 'metadata', 'labels', REVISION_LABEL) === revision).length;
  return {
    ...observed(workload),
    replicas: pods.length,
    readyReplicas: ready,
    availableReplicas: ready,
    currentReplicas: updated,
    updatedReplicas: updated,
    currentRevision: revision,
    updateRevision: revision,
    collisionCount: 0,
  };
}

function daemonSetStatus(set: ChangeSet, workload: ApiObject): JsonObject {
  const pods = podsOf(set, workload);
  const ready = pods.filter(isReady).length;
  return {
    ...observed(workload),
    currentNumberScheduled: pods.length,
    desiredNumberScheduled: 1,
    numberAvailable: ready,
    numberMisscheduled: 0,
    numberReady: ready,
    updatedNumberScheduled: pods.length,
  };
}

function jobStatus(set: ChangeSet, job: ApiObject, now: string): JsonObject {
  const pods = podsOf(set, job);
  const inPhase = (phase: string): number => pods.filter((pod) => textAt(pod, 'status', 'phase') === phase).length;
  const [succeeded, failed] = [inPhase('Succeeded'), inPhase('Failed')];
  const active = pods.length - succeeded - failed;
  const ready = pods.filter((pod) => !isOver(pod) && isReady(pod)).length;
  const wanted = numberAt(job, 'spec', 'completions') || numberAt(job, 'spec', 'parallelism');
  const complete = succeeded > 0 && succeeded >= wanted;
  const lost = !complete && active === 0 && failed > 0;
  const ended = complete ? ['Complete', 'CompletionsReached'] : lost ? ['Failed', 'BackoffLimitExceeded'] : undefined;
  const earlier = listAt(job, 'status', 'conditions');
  const since = textAt(earlier[0], 'lastTransitionTime') || now;
  const [type = '', reason = ''] = ended ?? [];
  return {
    startTime: textAt(job, 'status', 'startTime') || now,
    ...(active > 0 ? { active } : {}),
    ready,
    ...(succeeded > 0 ? { succeeded } : {}),
    ...(failed > 0 ? { failed } : {}),
    terminating: 0,
    uncountedTerminatedPods: {},
    ...(complete ? { completionTime: textAt(job, 'status', 'completionTime') || now } : {}),
    ...(ended
      ? { conditions: [{ type, status: 'True', reason, lastProbeTime: since, lastTransitionTime: since }] }
      : {}),
  };
}

function cronJobStatus(set: ChangeSet, cronJob: ApiObject, now: string): JsonObject {
  const jobs = set.ownedBy(textAt(cronJob, 'metadata', 'uid')).map(({ object }) => object);
  const running = jobs.filter((job) => numberAt(job, 'status', 'active') > 0);
  const active = running.map((job) => ({
    apiVersion: job.apiVersion,
    kind: job.kind,
    name: nameOf(job),
    namespace: textAt(job, 'metadata', 'namespace'),
    uid: textAt(job, 'metadata', 'uid'),
  }));
  const last = jobs.length > 0 ? textAt(cronJob, 'status', 'lastScheduleTime') || now : '';
  return { ...(active.length > 0 ? { active } : {}), ...(last === '' ? {} : { lastScheduleTime: last }) };
}
