import type { JsonObject, JsonValue } from '../manifest/json.ts';
import {
  at,
  nameOf,
  namespaceOf,
  objectAt,
  sameJson,
  textAt,
  uidOf,
  versionOf,
  without,
  type ApiObject,
} from './api-object.ts';
import { withDefaults } from './defaults.ts';
import { immutabilityIssues } from './immutability.ts';
import { withJobSelector } from './job-selector.ts';
import { birthOf, generationOf, type Origin } from './lifecycle.ts';
import { apiVersionOf, type Resource } from './registry.ts';
import { ApiError, badRequest, conflict, invalidObject, MODIFIED } from './status.ts';
import { issuesOf, type FieldIssue } from './validation.ts';

/** The object that a request's path names. With a subresource only the status is written. */
export interface WriteTarget {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: '' | 'status';
}

/** A new object as it is to be stored: the server's metadata in place of the writer's, no status but its first. */
export function newborn(origin: Origin, target: WriteTarget, value: JsonObject): ApiObject {
  const { resource, name } = target;
  if (versionOf(value) !== '') throw badRequest('resourceVersion should not be set on objects to be created');
  assertNamespaceOf(target, value);
  const status = FIRST_STATUS.get(resource.kind);
  const asked = resource.hasStatus ? { ...without(value, 'status'), ...(status ? { status } : {}) } : value;
  const made = filled(origin, { ...target, name: name || nameOf(value) }, { before: undefined, value: asked });
  return resource.kind === 'Job' ? withJobSelector(made) : made;
}

/** The object after a change by a user: who writes to the object leaves its status alone, and the other way round. */
export function changed(
  origin: Origin,
  target: WriteTarget,
  { before, value }: { readonly before: ApiObject; readonly value: JsonObject },
): ApiObject {
  assertSame(target, before, value);
  const { resource } = target;
  if (target.subresource === 'status') {
    return filled(origin, target, { before, value: { ...before, status: objectAt(value, 'status') } });
  }
  const status = at(before, 'status');
  const asked = resource.hasStatus
    ? { ...without(value, 'status'), ...(status === undefined ? {} : { status }) }
    : value;
  return filled(origin, target, { before, value: resource.kind === 'Service' ? withAddress(before, asked) : asked });
}

/** Throws a 422 with all that is wrong with the object. */
export function assertValid(resource: Resource, before: ApiObject | undefined, after: ApiObject): void {
  const issues: FieldIssue[] = [
    ...(before ? immutabilityIssues(resource, before, after) : []),
    ...issuesOf(resource, after),
  ];
  if (issues.length > 0) throw invalidObject(resource, nameOf(after), issues);
}

/** Throws a 400 unless the body's name and namespace, where it has any, are those of the path. */
export function assertNamed(target: WriteTarget, value: JsonObject): void {
  const name = nameOf(value);
  if (name !== '' && target.name !== '' && name !== target.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${target.name})`);
  }
  assertNamespaceOf(target, value);
}

/** The writer's fields with defaults and with the metadata that the server writes. */
function filled(
  origin: Origin,
  { resource, namespace, name }: WriteTarget,
  { before, value }: { readonly before: ApiObject | undefined; readonly value: JsonObject },
): ApiObject {
  const { apiVersion, kind } = { apiVersion: apiVersionOf(resource), kind: resource.kind };
  const given = without(objectAt(value, 'metadata'), ...SERVER_METADATA);
  const kept = Object.entries(before?.metadata ?? {}).filter(([field]) => KEPT_METADATA.includes(field));
  // A writer who does not speak of the record of writers leaves it as it is.
  const recorded = at(before, 'metadata', 'managedFields');
  const named = {
    ...(recorded === undefined ? {} : { managedFields: recorded }),
    ...given,
    name,
    ...(namespace === '' ? {} : { namespace }),
    ...Object.fromEntries(kept),
    ...birthOf(origin, before),
  };
  const draft = withDefaults(resource, { ...value, metadata: named });
  const said = Object.entries(objectAt(draft, 'metadata')).filter(([, field]) => !isHollow(field));
  const metadata = { ...Object.fromEntries(said), name, ...generationOf(resource, before, draft) };
  return { apiVersion, kind, ...without(draft, 'apiVersion', 'kind', 'metadata'), metadata };
}

/** Whether Go leaves the field out: no labels, no owners. */
function isHollow(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

const KEPT_METADATA = ['resourceVersion', 'deletionTimestamp', 'deletionGracePeriodSeconds'];
const SERVER_METADATA = [...KEPT_METADATA, 'uid', 'creationTimestamp', 'generation', 'selfLink'];

const FIRST_STATUS: ReadonlyMap<string, JsonObject> = new Map<string, JsonObject>([
  ['Pod', { phase: 'Pending', qosClass: 'BestEffort' }],
  ['Namespace', { phase: 'Active' }],
  ['Service', { loadBalancer: {} }],
]);

function assertNamespaceOf({ resource, namespace }: WriteTarget, value: JsonObject): void {
  const own = namespaceOf(value);
  if (resource.namespaced && own !== '' && own !== namespace) {
    throw badRequest(
      `the namespace of the provided object does not match the namespace sent on the request (${own} != ${namespace})`,
    );
  }
}

/** Throws a 409 if the writer means another object of that name, or an older version of it. */
export function assertSame(target: WriteTarget, before: ApiObject, value: JsonObject): void {
  assertNamed(target, value);
  const { resource, name } = target;
  const [version, uid] = [versionOf(value), uidOf(value)];
  if (uid !== '' && uid !== uidOf(before)) {
    const detail = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${uidOf(before)}`;
    throw conflict(resource, name, detail);
  }
  if (version !== '' && version !== '0' && version !== versionOf(before)) throw conflict(resource, name, MODIFIED);
}

/**
 * A Service keeps the addresses it was given where the writer does not speak of them; one who writes another clusterIP
 * need not know of clusterIPs. Source: patchAllocatedValues, normalizeClusterIPs.
 */
function withAddress(before: ApiObject, value: JsonObject): JsonObject {
  const [old, spec] = [objectAt(before, 'spec'), objectAt(value, 'spec')];
  if (textAt(spec, 'type') === 'ExternalName') return value;
  if (textAt(spec, 'clusterIP') !== '') {
    const isMoved = spec.clusterIP !== old.clusterIP && sameJson(spec.clusterIPs, old.clusterIPs);
    return isMoved ? { ...value, spec: without(spec, 'clusterIPs') } : value;
  }
  const kept = Object.entries(old).filter(
    ([name]) =>
      ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'].includes(name) && !Object.hasOwn(spec, name),
  );
  return { ...value, spec: { ...spec, ...Object.fromEntries(kept) } };
}

/** Throws a 409 unless the object is the one that a deletion means. */
export function assertPreconditions(
  { resource, name }: WriteTarget,
  object: ApiObject,
  { uid, resourceVersion }: { readonly uid: string; readonly resourceVersion: string },
): void {
  const check = (label: string, wanted: string, found: string): void => {
    if (wanted === '' || wanted === found) return;
    const detail = `Precondition failed: ${label} in precondition: ${wanted}, ${label} in object meta: ${found}`;
    throw conflict(resource, name, detail);
  };
  check('UID', uid, uidOf(object));
  check('ResourceVersion', resourceVersion, versionOf(object));
}

/** 403: the object cannot be deleted. */
export function undeletable({ plural, group }: Resource, name: string): ApiError {
  return new ApiError({
    code: 403,
    reason: 'Forbidden',
    message: `${group === '' ? plural : `${plural}.${group}`} "${name}" is forbidden: this namespace may not be deleted`,
    details: { name, kind: plural },
  });
}
