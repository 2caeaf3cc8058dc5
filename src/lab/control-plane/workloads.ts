import { at, nameOf, namespaceOf, numberAt, objectAt, uidOf, type ApiObject } from '../../apiserver/api-object.ts';
import type { ChangeSet, Found } from '../../apiserver/change-set.ts';
import { withJobSelector } from '../../apiserver/job-selector.ts';
import { servedKind } from '../../apiserver/registry.ts';
import { hashOf, reconcileDeployment } from './deployment.ts';
import { controllerOf } from './owner.ts';
import { claimPods } from './pod-claims.ts';
import { isOver, keepNamed, keepReplicas, makePod, plansOf, podsOf, putOwned, replicasOf } from './workload-pods.ts';

const JOB = servedKind('batch/v1', 'Job');

type Controllers = readonly (readonly [kind: string, reconcile: (set: ChangeSet, workload: ApiObject) => void])[];

const OF_WORKLOADS: Controllers = [
  ['CronJob', reconcileCronJob],
  ['Deployment', reconcileDeployment],
];

const OF_PODS: Controllers = [
  ['ReplicaSet', (set, workload) => keepReplicas(set, workload, replicasOf(workload))],
  ['ReplicationController', (set, workload) => keepReplicas(set, workload, replicasOf(workload))],
  ['StatefulSet', (set, workload) => keepNamed(set, workload, revisionOf(workload))],
  ['DaemonSet', (set, workload) => keepNamed(set, workload, revisionOf(workload))],
  ['Job', reconcileJob],
];

/**
 * Makes of the workloads that the set touches, and of these others, what the controllers of a cluster would: other
 * workloads, and pods.
 */
export function reconcileWorkloads(set: ChangeSet, others: readonly Found[] = []): void {
  run(OF_WORKLOADS, set, others);
  claimPods(set);
  run(OF_PODS, set, others);
}

function run(controllers: Controllers, set: ChangeSet, others: readonly Found[]): void {
  for (const [kind, reconcile] of controllers) {
    const more = others.flatMap((found) => (found.resource.kind === kind ? (presentOf(set, found) ?? []) : []));
    const all = new Map([...touched(set, kind), ...more].map(({ object }) => [uidOf(object), object]));
    for (const object of all.values()) reconcile(set, object);
  }
}

/** The workloads that the set touches, and may have made ready for another step. */
export function touchedWorkloads(set: ChangeSet): Found[] {
  return [...OF_WORKLOADS, ...OF_PODS].flatMap(([kind]) => touched(set, kind));
}

/** The workloads of a kind that the set changes, or of which it changes what they own or owned. */
export function touched(set: ChangeSet, kind: string): Found[] {
  const found = new Map<string, Found>();
  for (const { resource, before, after } of set.changes) {
    for (const object of [before, after]) {
      if (!object) continue;
      const owner = resource.kind === kind ? presentOf(set, { resource, object }) : controllerOf(set, object);
      if (owner?.resource.kind === kind) found.set(`${namespaceOf(owner.object)}/${nameOf(owner.object)}`, owner);
    }
  }
  return [...found.values()];
}

function presentOf(set: ChangeSet, { resource, object }: Found): Found | undefined {
  const present = set.get(resource, namespaceOf(object), nameOf(object));
  return present && { resource, object: present };
}

/** The name of a workload's present template. */
export function revisionOf(workload: ApiObject): string {
  const hash = hashOf(objectAt(workload, 'spec', 'template'));
  return workload.kind === 'StatefulSet' ? `${nameOf(workload)}-${hash}` : hash;
}

/** Runs as many pods at a time as the Job says, until as many have ended as it says. A pod that failed is not made again. */
function reconcileJob(set: ChangeSet, job: ApiObject): void {
  if (at(job, 'spec', 'suspend') === true) return;
  const pods = podsOf(set, job);
  const parallelism = numberAt(job, 'spec', 'parallelism');
  const wanted = at(job, 'spec', 'completions') === undefined ? parallelism : numberAt(job, 'spec', 'completions');
  const active = pods.filter((pod) => !isOver(pod)).length;
  const room = Math.min(parallelism - active, wanted - pods.length);
  if (room <= 0) return;
  const taken = new Set(pods.map(nameOf));
  const free = plansOf(job, Math.max(wanted, pods.length + room)).filter(({ name }) => !taken.has(name));
  for (const plan of free.slice(0, room)) makePod(set, job, plan);
}

/** A CronJob runs once, at once. */
function reconcileCronJob(set: ChangeSet, cronJob: ApiObject): void {
  if (at(cronJob, 'spec', 'suspend') === true) return;
  const [plan] = plansOf(cronJob);
  const name = plan?.labels['job-name'];
  if (name === undefined || set.get(JOB, namespaceOf(cronJob), name)) return;
  const { metadata, spec } = objectAt(cronJob, 'spec', 'jobTemplate');
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { ...objectAt(metadata), name } };
  set.put(JOB, withJobSelector(putOwned(set, cronJob, { ...job, spec: objectAt(spec) })));
}
