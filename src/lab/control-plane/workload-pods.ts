import {
  at,
  listAt,
  nameOf,
  namespaceOf,
  numberAt,
  objectAt,
  textAt,
  uidOf,
  without,
  withMetadata,
  type ApiObject,
} from '../../apiserver/api-object.ts';
import type { ChangeSet } from '../../apiserver/change-set.ts';
import { withDefaults } from '../../apiserver/defaults.ts';
import { removeWithDependents } from '../../apiserver/garbage.ts';
import { birthOf, generationOf } from '../../apiserver/lifecycle.ts';
import { servedKind } from '../../apiserver/registry.ts';
import { manifestOf } from '../../apiserver/validation.ts';
import { podPlans, type PodPlan } from '../../manifest/pod-plan.ts';
import { readObject } from '../../manifest/validate.ts';
import { invariant } from '../../model/invariant.ts';
import { ownerReference } from './owner.ts';

const POD = servedKind('v1', 'Pod');
const FINISHED = ['Succeeded', 'Failed'];

/** The pods that an object looks after. */
export function podsOf(set: ChangeSet, owner: ApiObject): ApiObject[] {
  return set.ownedBy(uidOf(owner)).flatMap(({ resource, object }) => (resource === POD ? object : []));
}

/** Whether all containers of a pod have ended for good. */
export function isOver(pod: ApiObject): boolean {
  return FINISHED.includes(textAt(pod, 'status', 'phase'));
}

/** Whether the pod's status says that it is ready. */
export function isReady(pod: ApiObject): boolean {
  return listAt(pod, 'status', 'conditions').some(
    (one) => textAt(one, 'type') === 'Ready' && textAt(one, 'status') === 'True',
  );
}

/** Makes so many pods of a workload run, each as good as any other: surplus ones go, those not ready first. */
export function keepReplicas(set: ChangeSet, owner: ApiObject, wanted: number): void {
  const alive = podsOf(set, owner).filter((pod) => !isOver(pod));
  if (alive.length > wanted) {
    const order = new Map(plansOf(owner, alive.length * 2).map(({ name }, index) => [name, index]));
    const rank = (pod: ApiObject): number => (isReady(pod) ? 0 : 1e6) + (order.get(nameOf(pod)) ?? 1e5);
    const sorted = alive.sort((one, other) => rank(one) - rank(other));
    for (const pod of sorted.slice(wanted)) removePod(set, pod);
    return;
  }
  const missing = wanted - alive.length;
  for (const plan of missing > 0 ? freePlans(set, owner, { wanted, missing }) : []) makePod(set, owner, plan);
}

/** Makes a workload's pods be those that it names; others go, and those of another revision are made anew. */
export function keepNamed(set: ChangeSet, owner: ApiObject, revision: string): void {
  const plans = plansOf(owner);
  const names = new Set(plans.map(({ name }) => name));
  for (const pod of podsOf(set, owner)) {
    const stale = textAt(pod, 'metadata', 'labels', REVISION_LABEL) !== revision;
    if (stale || isOver(pod) || !names.has(nameOf(pod))) removePod(set, pod);
  }
  const present = new Set(podsOf(set, owner).map(nameOf));
  for (const plan of plans) {
    if (!present.has(plan.name))
      makePod(set, owner, { ...plan, labels: { ...plan.labels, [REVISION_LABEL]: revision } });
  }
}

/** The label that says of which template a pod of a StatefulSet or a DaemonSet is. */
export const REVISION_LABEL = 'controller-revision-hash';

/** The pods that a workload would have if it were to have so many. */
export function plansOf(owner: ApiObject, count?: number): PodPlan[] {
  const counted =
    count === undefined ? owner : { ...owner, spec: { ...objectAt(owner, 'spec'), [countField(owner)]: count } };
  const manifest = manifestOf(counted);
  const reading = readObject(manifest);
  invariant(reading.kind === 'understood', `${owner.kind} ${nameOf(owner)} has been validated`);
  return podPlans(manifest, reading.object);
}

function countField({ kind }: ApiObject): string {
  return kind === 'Job' ? 'parallelism' : 'replicas';
}

/** Plans whose names are free: neither in use nor of a pod that goes with the same change. */
function freePlans(
  set: ChangeSet,
  owner: ApiObject,
  { wanted, missing }: { readonly wanted: number; readonly missing: number },
): PodPlan[] {
  const namespace = namespaceOf(owner);
  const leaving = new Set(
    set.changes.flatMap(({ resource, before, after }) => (resource === POD && before && !after ? nameOf(before) : [])),
  );
  for (let count = wanted + leaving.size; ; count += missing) {
    const free = plansOf(owner, count).filter(({ name }) => !leaving.has(name) && !set.get(POD, namespace, name));
    if (free.length >= missing) return free.slice(0, missing);
  }
}

/** Makes a pod of a workload. */
export function makePod(set: ChangeSet, owner: ApiObject, plan: PodPlan): void {
  const template = objectAt(owner, 'spec', 'template');
  const { hostname, subdomain, annotations } = plan;
  const metadata = {
    name: plan.name,
    ...(owner.kind === 'StatefulSet' ? {} : { generateName: `${nameOf(owner)}-` }),
    namespace: plan.namespace,
    ...birthOf(set, undefined),
    labels: plan.labels,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    ownerReferences: [ownerReference(owner)],
  };
  const spec = {
    ...objectAt(template, 'spec'),
    ...(hostname === '' ? {} : { hostname }),
    ...(subdomain === '' ? {} : { subdomain }),
  };
  const pod: ApiObject = { apiVersion: 'v1', kind: 'Pod', metadata, spec, status: { phase: 'Pending' } };
  set.put(POD, withDefaults(POD, pod) as ApiObject);
}

/** Ends a pod. */
function removePod(set: ChangeSet, pod: ApiObject): void {
  removeWithDependents(set, { resource: POD, object: pod });
}

/** Makes or changes an object that a workload owns, such as a Deployment's ReplicaSet. @returns the object. */
export function putOwned(set: ChangeSet, owner: ApiObject, object: ApiObject): ApiObject {
  const resource = servedKind(object.apiVersion, object.kind);
  const before = set.get(resource, namespaceOf(owner), nameOf(object));
  const metadata = {
    ...objectAt(before, 'metadata'),
    ...object.metadata,
    namespace: namespaceOf(owner),
    ...birthOf(set, before),
    ownerReferences: [ownerReference(owner)],
  };
  const draft = withDefaults(resource, { ...without(object, 'metadata'), metadata }) as ApiObject;
  const status = at(before, 'status');
  const after = { ...draft, ...(status === undefined ? {} : { status }) };
  return set.put(resource, withMetadata(after, { ...after.metadata, ...generationOf(resource, before, after) }));
}

/** The number of pods that a workload asks for. */
export function replicasOf(workload: ApiObject): number {
  return at(workload, 'spec', 'replicas') === undefined ? 1 : numberAt(workload, 'spec', 'replicas');
}
