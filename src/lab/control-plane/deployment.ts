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
import { putOwned, replicasOf } from './workload-pods.ts';

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

/** Gives the Deployment's present template a ReplicaSet with all pods, and takes them from those of earlier templates. */
export function reconcileDeployment(set: ChangeSet, deployment: ApiObject): void {
  const name = replicaSetName(deployment);
  const all = replicaSetsOf(set, deployment);
  const earlier = all.filter((one) => nameOf(one) !== name);
  const known = all.find((one) => nameOf(one) === name);
  const latest = Math.max(0, ...earlier.map(revisionOf));
  const revision = known && revisionOf(known) > latest ? revisionOf(known) : latest + 1;
  for (const one of earlier) {
    if (replicasOf(one) > 0) putOwned(set, deployment, withReplicas(one, 0));
  }
  putIfNew(set, deployment, replicaSet(deployment, { known, revision }));
  forgetOldest(set, deployment, earlier);
  const annotated = annotate(deployment, { [REVISION]: String(revision) });
  if (annotated !== deployment) set.put(DEPLOYMENT, annotated);
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
  { known, revision }: { readonly known: ApiObject | undefined; readonly revision: number },
): ApiObject {
  const replicas = replicasOf(deployment);
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
function forgetOldest(set: ChangeSet, deployment: ApiObject, earlier: readonly ApiObject[]): void {
  const kept = numberAt(deployment, 'spec', 'revisionHistoryLimit');
  const empty = earlier.filter((one) => replicasOf(one) === 0);
  const oldest = [...empty].sort((one, other) => revisionOf(one) - revisionOf(other));
  for (const object of oldest.slice(0, Math.max(0, oldest.length - kept))) {
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
  const enough = available >= wanted - unavailableAllowed(deployment, wanted);
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

/** How many pods may be missing. Source: ResolveFenceposts: percentages are rounded down. */
function unavailableAllowed(deployment: ApiObject, wanted: number): number {
  const given = at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable');
  if (typeof given === 'number') return given;
  return typeof given === 'string' ? Math.floor((wanted * Number.parseInt(given, 10)) / 100) : 0;
}
