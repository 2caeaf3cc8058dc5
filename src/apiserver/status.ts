import type { Issue } from '../manifest/issue.ts';
import type { JsonObject } from '../manifest/json.ts';

/** One cause of a refusal, as `details.causes` has it. */
export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** The resource and the object that a Status is about. */
export interface StatusSubject {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
}

interface Refusal {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: JsonObject;
}

/** A refusal in the shape of Kubernetes' Status; what the HTTP server answers with. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: JsonObject | undefined;

  constructor({ code, reason, message, details }: Refusal) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The Status object. */
  get status(): JsonObject {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** `deployments.apps`; core resources have no group. */
function qualifiedResource({ plural, group }: StatusSubject): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** 404: there is no such object. */
export function notFound(subject: StatusSubject, name: string): ApiError {
  return new ApiError({
    code: 404,
    reason: 'NotFound',
    message: `${qualifiedResource(subject)} "${name}" not found`,
    details: resourceDetails(subject, name),
  });
}

/** 404: nothing is served at this path. */
export function noSuchPath(): ApiError {
  const message = 'the server could not find the requested resource';
  return new ApiError({ code: 404, reason: 'NotFound', message, details: {} }); // kubectl debug fails without details
}

/** 409: an object of that name is there already. */
export function alreadyExists(subject: StatusSubject, name: string): ApiError {
  return new ApiError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${qualifiedResource(subject)} "${name}" already exists`,
    details: resourceDetails(subject, name),
  });
}

/** 409: the object is not what the writer thinks it is. */
export function conflict(subject: StatusSubject, name: string, detail: string): ApiError {
  return new ApiError({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${qualifiedResource(subject)} "${name}": ${detail}`,
    details: resourceDetails(subject, name),
  });
}

/** What a conflict of resourceVersions says. */
export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

/** 409: fields that the applied object sets belong to other managers. */
export function applyConflict(message: string, causes: readonly StatusCause[]): ApiError {
  return new ApiError({
    code: 409,
    reason: 'Conflict',
    message,
    details: { causes: causes.map((one) => ({ ...one })) },
  });
}

/** 422: the object breaks rules. */
export function invalidObject(
  subject: { readonly group: string; readonly kind: string },
  name: string,
  issues: readonly Pick<Issue, 'field' | 'type' | 'message'>[],
): ApiError {
  const { group, kind } = subject;
  const texts = issues.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`));
  const joined = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  const causes = issues.map(({ field, type, message }) => ({ reason: type, message, field }));
  return new ApiError({
    code: 422,
    reason: 'Invalid',
    message: `${group === '' ? kind : `${kind}.${group}`} "${name}" is invalid: ${joined}`,
    details: { name, group, kind, causes },
  });
}

/** 400. */
export function badRequest(message: string): ApiError {
  return new ApiError({ code: 400, reason: 'BadRequest', message });
}

/** 405: the resource has no such verb. */
export function methodNotAllowed(): ApiError {
  return new ApiError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
  });
}

/** 410: what was asked for is older than what is kept. */
export function expired(message: string): ApiError {
  return new ApiError({ code: 410, reason: 'Expired', message });
}

/** 415: the body is of a type that is not read here. */
export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  return new ApiError({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  });
}

/** 403. */
export function forbiddenRequest(message: string): ApiError {
  return new ApiError({ code: 403, reason: 'Forbidden', message });
}

/** 500. */
export function internalError(message: string): ApiError {
  return new ApiError({ code: 500, reason: 'InternalError', message: `Internal error occurred: ${message}` });
}

function resourceDetails({ group, plural }: StatusSubject, name: string): JsonObject {
  return { name, ...(group === '' ? {} : { group }), kind: plural };
}
