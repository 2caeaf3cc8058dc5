import {
  at,
  listAt,
  nameOf,
  numberAt,
  objectAt,
  sameJson,
  textAt,
  textMapAt,
  uidOf,
  withMetadata,
  type ApiObject,
} from '../../apiserver/api-object.ts';
import type { ChangeSet } from '../../apiserver/change-set.ts';
import { removeWithDependents } from '../../apiserver/garbage.ts';
import { servedKind } from '../../apiserver/registry.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../../manifest/json.ts';
import { templateHashOf } from '../../manifest/safe-name.ts';
import { leewayOf, nextStep, type Generation } from './rolling-update.ts';
import { isReady, podsOf, putOwned, replicasOf } from './workload-pods.ts';

const DEPLOYMENT = servedKind('apps/v1', 'Deployment');
const REPLICA_SET = servedKind('apps/v1', 'ReplicaSet');
const HASH_LABEL = 'pod-template-hash';
const REVISION = 'deployment.kubernetes.io/revision';

/** The hash of a pod template, whatever the order of its fields. */
export function hashOf(template: JsonObject): string {
  return templateHashOf(JSON.stringify(sorted(template)));
}

/** The ReplicaSets of a Deployment. */
export function replicaSetsOf(set: ChangeSet, deployment: ApiObject): ApiObject[] {
  return set.ownedBy(uidOf(deployment)).flatMap(({ resource, object }) => (resource === REPLICA_SET ? object : []));
}

/** The ReplicaSet of the Deployment's present template. */
export function currentReplicaSet(set: ChangeSet, deployment: ApiObject): ApiObject | undefined {
  const name = replicaSetName(deployment);
  return replicaSetsOf(set, deployment).find((one) => nameOf(one) === name);
}

/**
 * Moves a Deployment one step on towards having all its pods of the present template: at once if there are no others or
 * they are to be recreated, else as its rolling update allows.
 */
export function reconcileDeployment(set: ChangeSet, deployment: ApiObject): void {
  const name = replicaSetName(deployment);
  const all = replicaSetsOf(set, deployment);
  const earlier = all.filter((one) => nameOf(one) !== name).sort((one, other) => revisionOf(one) - revisionOf(other));
  const known = all.find((one) => nameOf(one) === name);
  const latest = Math.max(0, ...earlier.map(revisionOf));
  const revision = known && revisionOf(known) > latest ? revisionOf(known) : latest + 1;
  const sizes = sizesOf(set, deployment, { known, earlier });
  earlier.forEach((one, index) => {
    const size = sizes.earlier[index] ?? 0;
    if (replicasOf(one) !== size) putOwned(set, deployment, withReplicas(one, size));
  });
  putIfNew(set, deployment, replicaSet(deployment, { known, revision, replicas: sizes.present }));
  forgetOldest(set, earlier, numberAt(deployment, 'spec', 'revisionHistoryLimit'));
  const annotated = annotate(deployment, { [REVISION]: String(revision) });
  if (annotated !== deployment) set.put(DEPLOYMENT, annotated);
}

/** How many pods each ReplicaSet is to have next. */
function sizesOf(
  set: ChangeSet,
  deployment: ApiObject,
  { known, earlier }: { readonly known: ApiObject | undefined; readonly earlier: readonly ApiObject[] },
): ReturnType<typeof nextStep> {
  const wanted = replicasOf(deployment);
  const isRolling = textAt(deployment, 'spec', 'strategy', 'type') !== 'Recreate';
  if (!isRolling || earlier.every((one) => replicasOf(one) === 0)) {
    return { present: wanted, earlier: earlier.map(() => 0) };
  }
  const generation = (one: ApiObject): Generation => {
    return { replicas: replicasOf(one), available: podsOf(set, one).filter(isReady).length };
  };
  const present = known ? generation(known) : { replicas: 0, available: 0 };
  return nextStep({ present, earlier: earlier.map(generation) }, wanted, leewayOf(deployment, wanted));
}

function putIfNew(set: ChangeSet, deployment: ApiObject, wanted: ApiObject): void {
  const known = set.get(REPLICA_SET, textAt(deployment, 'metadata', 'namespace'), nameOf(wanted));
  const same =
    known && sameJson(known.spec, wanted.spec) && sameJson(known.metadata.annotations, wanted.metadata.annotations);
  if (!same) putOwned(set, deployment, wanted);
}

function replicaSetName(deployment: ApiObject): string {
  return `${nameOf(deployment)}-${hashOf(objectAt(deployment, 'spec', 'template'))}`;
}

/** The ReplicaSet as it is to be, an existing one with its selector and template as they are. */
function replicaSet(
  deployment: ApiObject,
  {
    known,
    revision,
    replicas,
  }: { readonly known: ApiObject | undefined; readonly revision: number; readonly replicas: number },
): ApiObject {
  if (known) return annotate(withReplicas(known, replicas), { [REVISION]: String(revision) });
  const template = objectAt(deployment, 'spec', 'template');
  const hash = hashOf(template);
  const labels = { ...Object.fromEntries(textMapAt(template, 'metadata', 'labels')), [HASH_LABEL]: hash };
  const selector = objectAt(deployment, 'spec', 'selector');
  const minReadySeconds = at(deployment, 'spec', 'minReadySeconds');
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${nameOf(deployment)}-${hash}`,
      labels,
      annotations: { [REVISION]: String(revision) },
    },
    spec: {
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      replicas,
      selector: { ...selector, matchLabels: { ...objectAt(selector, 'matchLabels'), [HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...objectAt(template, 'metadata'), labels } },
    },
  };
}

/** Deletes ReplicaSets without pods beyond those that are kept for `rollout undo`. */
function forgetOldest(set: ChangeSet, earlier: readonly ApiObject[], kept: number): void {
  const empty = earlier.filter((one) => replicasOf(one) === 0 && podsOf(set, one).length === 0);
  for (const object of empty.slice(0, Math.max(0, empty.length - kept))) {
    removeWithDependents(set, { resource: REPLICA_SET, object });
  }
}

function revisionOf(replicaSet: ApiObject): number {
  return Number(textAt(replicaSet, 'metadata', 'annotations', REVISION));
}

function withReplicas(replicaSet: ApiObject, replicas: number): ApiObject {
  return { ...replicaSet, spec: { ...objectAt(replicaSet, 'spec'), replicas } };
}

function annotate(object: ApiObject, annotations: JsonObject): ApiObject {
  const before = objectAt(object, 'metadata', 'annotations');
  const after = { ...before, ...annotations };
  return sameJson(before, after) ? object : withMetadata(object, { ...object.metadata, annotations: after });
}

function sorted(value: JsonValue): JsonValue {
  if (isList(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, field]) => [name, sorted(field)]));
}

/** The conditions Available and Progressing as the Deployment's controller would set them. */
export function deploymentConditions(
  deployment: ApiObject,
  { available, updated, now }: { readonly available: number; readonly updated: number; readonly now: string },
): JsonObject[] {
  const wanted = replicasOf(deployment);
  const enough = available >= wanted - leewayOf(deployment, wanted).unavailable;
  const done = updated >= wanted && available >= wanted;
  const name = `${nameOf(deployment)}-${hashOf(objectAt(deployment, 'spec', 'template'))}`;
  const make = (type: string, holds: boolean, [reason, message]: readonly [string, string]): JsonObject => {
    const before = listAt(deployment, 'status', 'conditions').find((one) => textAt(one, 'type') === type);
    const status = holds ? 'True' : 'False';
    const same = textAt(before, 'status') === status && textAt(before, 'reason') === reason;
    const lastUpdateTime = same ? textAt(before, 'lastUpdateTime') : now;
    const lastTransitionTime = textAt(before, 'status') === status ? textAt(before, 'lastTransitionTime') : now;
    return { type, status, reason, message, lastUpdateTime, lastTransitionTime };
  };
  return [
    make(
      'Available',
      enough,
      enough
        ? ['MinimumReplicasAvailable', 'Deployment has minimum availability.']
        : ['MinimumReplicasUnavailable', 'Deployment does not have minimum availability.'],
    ),
    make(
      'Progressing',
      true,
      done
        ? ['NewReplicaSetAvailable', `ReplicaSet "${name}" has successfully progressed.`]
        : ['ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`],
    ),
  ];
}
