import { listAt, objectAt, textAt, without, type ApiObject } from '../../apiserver/api-object.ts';
import { removeWithDependents } from '../../apiserver/garbage.ts';
import type { WriteTarget } from '../../apiserver/object-draft.ts';
import { apiVersionOf, RESOURCES, servedKind, type Resource } from '../../apiserver/registry.ts';
import { POLICY, STAGED_POLICY } from '../../apiserver/staged-policy.ts';
import { ApiError } from '../../apiserver/status.ts';
import type { WriteDraft } from '../../apiserver/write-draft.ts';
import type { Issue } from '../../manifest/issue.ts';
import type { JsonObject } from '../../manifest/json.ts';
import type { ManifestObject } from '../../manifest/manifest-object.ts';
import { validateObject } from '../../manifest/validate.ts';
import { invariant } from '../../model/invariant.ts';
import { podKey } from '../../model/pod.ts';
import type { ChangeResult } from '../lab-client.ts';
import { originOf } from './origin.ts';
import { endStaging } from './staging.ts';

/** What an object is called on the command line. `namespace` is empty for kinds without namespaces. */
export type ObjectName = Pick<ManifestObject, 'kind' | 'namespace' | 'name'>;

/** Thrown to make nothing of a draft: what is wrong with the manifests. */
export class RefusedManifests extends Error {
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super(`${issues.length} issues`);
    this.issues = issues;
  }
}

const NAMESPACE = servedKind('v1', 'Namespace');
// As `kubectl apply --server-side` calls itself: what one has applied, the other can.
const APPLIER = 'kubectl';
const LABELLER = 'kubectl-label';
// What a cluster writes, and so manifests that were read from one have.
const SERVER_METADATA = [
  ...['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'selfLink', 'managedFields'],
];

/**
 * Applies manifests, each as `kubectl apply --server-side --force-conflicts` would, in namespaces that are made where
 * there are none. @throws RefusedManifests with all that is wrong.
 */
export function applyManifests(draft: WriteDraft, objects: readonly ManifestObject[]): ChangeResult[] {
  const invalid = objects.flatMap(validateObject);
  if (invalid.length > 0) throw new RefusedManifests(invalid);
  const isNamespace = ({ kind }: ManifestObject): boolean => kind === 'Namespace';
  const results = new Map<ManifestObject, ChangeResult>();
  const issues: Issue[] = [];
  // A namespace may be written below what is in it.
  for (const object of [...objects.filter(isNamespace), ...objects.filter((one) => !isNamespace(one))]) {
    try {
      results.set(object, { ...named(object), action: applyOne(draft, object) });
    } catch (error) {
      issues.push(...issuesOf(object, error));
    }
  }
  if (issues.length > 0) throw new RefusedManifests(issues);
  return objects.flatMap((object) => results.get(object) ?? []);
}

/**
 * Stages policies: they are stored, and flows tell what they would change. Nothing of it is enforced.
 * @throws RefusedManifests with all that is wrong; what is no policy is.
 */
export function stageManifests(draft: WriteDraft, objects: readonly ManifestObject[]): ChangeResult[] {
  const issues = objects.flatMap((object) =>
    object.kind === POLICY.kind ? validateObject(object) : [notStaged(object)],
  );
  if (issues.length > 0) throw new RefusedManifests(issues);
  return objects.map((object) => {
    const { namespace, name } = object;
    const own = { apiVersion: apiVersionOf(STAGED_POLICY), kind: STAGED_POLICY.kind };
    const request = { object: { ...writtenOf(object), ...own }, force: true };
    try {
      draft.apply({ resource: STAGED_POLICY, namespace, name, subresource: '' }, request, {
        ...WRITE,
        origin: originOf(object),
      });
    } catch (error) {
      throw new RefusedManifests(issuesOf(object, error));
    }
    return { ...named(object), action: 'staged' };
  });
}

function notStaged(object: ManifestObject): Issue {
  const { file, line } = object.source;
  const message = `a ${object.kind} cannot be staged, only a NetworkPolicy: apply it without --staged`;
  return { file, line, ...named(object), field: 'kind', type: 'Invalid', message };
}

/** Deletes objects, with what they own. @returns what was not there; then the draft is not to be used. */
export function deleteObjects(
  draft: WriteDraft,
  targets: readonly ObjectName[],
): { readonly results: readonly ChangeResult[]; readonly missing: readonly string[] } {
  const isThere = (target: ObjectName): boolean => presentOf(draft, target) !== undefined || isStaged(draft, target);
  const missing = targets.filter((target) => !isThere(target)).map(nameText);
  if (missing.length > 0) return { results: [], missing };
  for (const target of targets) {
    if (isStaged(draft, target)) endStaging(draft.set, target);
    if (!presentOf(draft, target)) continue; // it was only staged, or went with its owner or its namespace
    draft.remove(targetOf(target), { orphan: false, uid: '', resourceVersion: '' });
  }
  return { results: targets.map((target) => ({ ...named(target), action: 'deleted' })), missing };
}

/** Changes labels; null removes one. */
export function labelObject(
  draft: WriteDraft,
  target: ObjectName,
  labels: Readonly<Record<string, string | null>>,
): ChangeResult {
  const change = (object: ApiObject): JsonObject => {
    const merged = { ...objectAt(object, 'metadata', 'labels'), ...labels };
    const kept = Object.entries(merged).filter(([, value]) => value !== null);
    return { ...object, metadata: { ...object.metadata, labels: Object.fromEntries(kept) } };
  };
  draft.update(targetOf(target), change, { ...WRITE, fieldManager: LABELLER });
  return { ...named(target), action: 'labeled' };
}

/** The resource of a kind that the command line knows. */
export function resourceNamed(kind: string): Resource {
  const resource = RESOURCES.find((one) => one.kind === kind);
  invariant(resource, `${kind} is served`);
  return resource;
}

const WRITE = { fieldValidation: 'Ignore', fieldManager: APPLIER, warn: () => undefined } as const;

function applyOne(draft: WriteDraft, object: ManifestObject): ChangeResult['action'] {
  const target = targetOf(object);
  const { namespace } = object;
  if (namespace !== '' && !draft.set.get(NAMESPACE, '', namespace)) {
    draft.create(
      { ...target, resource: NAMESPACE, namespace: '', name: namespace },
      { metadata: { name: namespace } },
      WRITE,
    );
  }
  const before = presentOf(draft, object);
  const request = { object: writtenOf(object), force: true };
  if (object.kind === POLICY.kind) endStaging(draft.set, object);
  const options = { ...WRITE, origin: originOf(object) };
  const apply = (): ApiObject => draft.apply(target, request, options);
  if (!before) {
    keepStatus(draft, apply(), object);
    return 'created';
  }
  if (object.kind !== 'Pod') return apply() === before ? 'unchanged' : 'configured';
  try {
    return apply() === before ? 'unchanged' : 'configured';
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 422)) throw error;
    // What of a pod cannot change is had by another pod of its name.
    removeWithDependents(draft.set, { resource: target.resource, object: before });
    keepStatus(draft, apply(), object);
    return 'configured';
  }
}

function writtenOf({ value, name }: ManifestObject): JsonObject {
  const metadata = { ...without(objectAt(value, 'metadata'), ...SERVER_METADATA), name };
  return { ...without(value, 'status'), metadata };
}

function isStaged(draft: WriteDraft, { kind, namespace, name }: ObjectName): boolean {
  return kind === POLICY.kind && draft.set.get(STAGED_POLICY, namespace, name) !== undefined;
}

/** A pod that was read from a cluster keeps its addresses, and is as finished as it was. */
function keepStatus(draft: WriteDraft, pod: ApiObject, { kind, value }: ManifestObject): void {
  if (kind !== 'Pod' || value.status === undefined) return;
  const { phase = 'Pending', podIP, podIPs } = objectAt(value, 'status');
  const addresses = { ...(podIP === undefined ? {} : { podIP }), ...(podIPs === undefined ? {} : { podIPs }) };
  draft.set.put(servedKind('v1', 'Pod'), { ...pod, status: { ...objectAt(pod, 'status'), phase, ...addresses } });
}

function presentOf(draft: WriteDraft, { kind, namespace, name }: ObjectName): ApiObject | undefined {
  return draft.set.get(resourceNamed(kind), namespace, name);
}

function targetOf({ kind, namespace, name }: ObjectName): WriteTarget {
  return { resource: resourceNamed(kind), namespace, name, subresource: '' };
}

function named({ kind, namespace, name }: ObjectName): ObjectName {
  return { kind, namespace, name };
}

function nameText(target: ObjectName): string {
  return `${target.kind} ${target.namespace === '' ? target.name : podKey(target)}`;
}

/** What the API refused, at the lines of the manifest. @throws what is no refusal. */
function issuesOf(object: ManifestObject, error: unknown): Issue[] {
  if (!(error instanceof ApiError)) throw error;
  const { file, line } = object.source;
  const place = { file, line, ...named(object) };
  const causes = listAt(error.details, 'causes');
  if (causes.length === 0) return [{ ...place, field: '', type: error.reason, message: error.message }];
  return causes.map((cause) => ({
    ...place,
    field: textAt(cause, 'field'),
    type: textAt(cause, 'reason'),
    message: textAt(cause, 'message'),
  }));
}
