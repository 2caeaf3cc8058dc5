import { isList, isObject, type JsonObject, type JsonValue } from '../../manifest/json.ts';
import { at, textAt, uidOf, type ApiObject } from '../api-object.ts';
import type { ApiStore } from '../api-store.ts';
import type { WriteTarget } from '../object-draft.ts';
import { jsonPatch, JsonPatchError } from '../patch/json-patch.ts';
import { rulesOf } from '../patch/list-rules.ts';
import { mergePatch } from '../patch/merge-patch.ts';
import { strategicMerge } from '../patch/strategic-merge.ts';
import { objectFilter } from '../selectors.ts';
import { ApiError, badRequest, methodNotAllowed, notFound, unsupportedMediaType } from '../status.ts';
import type { DryRun } from '../user-writes.ts';
import type { RemoveOptions } from '../write-draft.ts';
import { dryRunOf, type Exchange } from './exchange.ts';
import { sendList, sendObject } from './object-answers.ts';
import type { Route } from './route.ts';
import { scaleOf, withScale } from './scale.ts';
import { answerWatch } from './watch-answer.ts';

type ResourceRoute = Route & { readonly kind: 'resource' };

const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

/** Answers requests for objects. */
export class ResourceRequests {
  readonly #store: ApiStore;

  constructor(store: ApiStore) {
    this.#store = store;
  }

  /** Answers one request; throws an ApiError that is to be the answer. */
  async answer(exchange: Exchange, route: ResourceRoute): Promise<void> {
    const { method } = exchange.request;
    const { name, subresource } = route;
    if (subresource === 'scale' || subresource === 'status') {
      if (method === 'GET') this.#get(exchange, route);
      else if (method === 'PUT') await this.#put(exchange, route);
      else if (method === 'PATCH') await this.#patch(exchange, route);
      else throw methodNotAllowed();
      return;
    }
    if (subresource !== '') throw methodNotAllowed();
    switch (method) {
      case 'GET':
        if (name === '' || wantsWatch(exchange)) this.#listOrWatch(exchange, route);
        else this.#get(exchange, route);
        break;
      case 'POST':
        if (name !== '') throw methodNotAllowed();
        await this.#create(exchange, route);
        break;
      case 'PUT':
        await this.#put(exchange, route);
        break;
      case 'PATCH':
        await this.#patch(exchange, route);
        break;
      case 'DELETE':
        if (name === '') await this.#deleteCollection(exchange, route);
        else await this.#delete(exchange, route);
        break;
      default:
        throw methodNotAllowed();
    }
  }

  #get(exchange: Exchange, { resource, namespace, name, subresource }: ResourceRoute): void {
    const object = this.#store.objects.get(resource, namespace, name);
    if (!object) throw notFound(resource, name);
    this.#send(exchange, subresource === 'scale' ? scaleOf(object) : object);
  }

  #listOrWatch(exchange: Exchange, { resource, namespace, name }: ResourceRoute): void {
    if (wantsWatch(exchange)) {
      answerWatch(exchange, this.#store.objects, { resource, namespace, name });
      return;
    }
    const filter = objectFilter(exchange.parameter('labelSelector'), exchange.parameter('fieldSelector'));
    const limit = Number(exchange.parameter('limit') || 0);
    if (!Number.isInteger(limit) || limit < 0)
      throw badRequest(`invalid limit ${JSON.stringify(exchange.parameter('limit'))}`);
    const continueToken = exchange.parameter('continue');
    const list = this.#store.objects.list(resource, { namespace, filter, limit, continueToken });
    sendList(exchange, resource, { list, now: this.#store.objects.now() });
  }

  async #create(exchange: Exchange, { resource, namespace }: ResourceRoute): Promise<void> {
    if (resource.namespaced && namespace === '') throw methodNotAllowed();
    const options = exchange.writeOptions();
    const target: WriteTarget = { resource, namespace, name: '', subresource: '' };
    this.#send(exchange, await this.#store.users.create(target, await exchange.object(), options), 201);
  }

  async #put(exchange: Exchange, route: ResourceRoute): Promise<void> {
    if (route.name === '') throw methodNotAllowed();
    const options = exchange.writeOptions();
    const value = await exchange.object();
    const scale = route.subresource === 'scale';
    const object = await this.#store.users.update(
      targetOf(route),
      (current) => (scale ? withScale(current, value) : value),
      options,
    );
    this.#send(exchange, scale ? scaleOf(object) : object);
  }

  async #patch(exchange: Exchange, route: ResourceRoute): Promise<void> {
    if (route.name === '') throw methodNotAllowed();
    const options = exchange.writeOptions();
    const { mediaType, value } = await exchange.value();
    if (!PATCH_TYPES.includes(mediaType)) throw unsupportedMediaType(PATCH_TYPES);
    const scale = route.subresource === 'scale';
    if (mediaType === 'application/apply-patch+yaml' && !scale) {
      await this.#apply(exchange, route, value);
      return;
    }
    const patch = patchOf(mediaType, value);
    const object = await this.#store.users.update(
      targetOf(route),
      (current) => (scale ? withScale(current, patch(scaleOf(current))) : patch(current)),
      options,
    );
    this.#send(exchange, scale ? scaleOf(object) : object);
  }

  async #apply(exchange: Exchange, route: ResourceRoute, value: JsonValue): Promise<void> {
    if (exchange.parameter('fieldManager') === '') {
      throw badRequest(
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      );
    }
    if (!isObject(value)) throw badRequest('error decoding YAML: an object is expected');
    const request = { object: value, force: exchange.parameter('force') === 'true' };
    const { object, created } = await this.#store.users.apply(targetOf(route), request, exchange.writeOptions());
    this.#send(exchange, object, created ? 201 : 200);
  }

  async #delete(exchange: Exchange, route: ResourceRoute): Promise<void> {
    const { resource, name } = route;
    const options = deleteOptions(exchange, await exchange.optionalObject());
    const object = await this.#store.users.remove(targetOf(route), options);
    if (at(object, 'metadata', 'deletionTimestamp') !== undefined) {
      this.#send(exchange, object);
      return;
    }
    const group = resource.group === '' ? {} : { group: resource.group };
    const details = { name, ...group, kind: resource.plural, uid: uidOf(object) };
    exchange.send({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details });
  }

  async #deleteCollection(exchange: Exchange, { resource, namespace }: ResourceRoute): Promise<void> {
    if (resource.namespaced && namespace === '') throw methodNotAllowed();
    const options = deleteOptions(exchange, await exchange.optionalObject());
    const filter = objectFilter(exchange.parameter('labelSelector'), exchange.parameter('fieldSelector'));
    const items = await this.#store.users.removeAll(resource, { namespace, filter }, options);
    const { resourceVersion, now } = this.#store.objects;
    const list = { items, resourceVersion, continueToken: '', remaining: 0 };
    sendList(exchange, resource, { list, now: now() });
  }

  #send(exchange: Exchange, object: ApiObject, code = 200): void {
    sendObject(exchange, object, { now: this.#store.objects.now(), code });
  }
}

function wantsWatch(exchange: Exchange): boolean {
  return ['true', '1'].includes(exchange.parameter('watch'));
}

function targetOf({ resource, namespace, name, subresource }: ResourceRoute): WriteTarget {
  return { resource, namespace, name, subresource: subresource === 'status' ? 'status' : '' };
}

/** What a patch makes of an object. */
function patchOf(mediaType: string, value: JsonValue): (object: ApiObject) => JsonObject {
  return (object) => {
    const patched = patchedBy(mediaType, value, object);
    if (!isObject(patched)) throw badRequest('the patch leaves no object');
    return patched;
  };
}

function patchedBy(mediaType: string, value: JsonValue, object: ApiObject): JsonValue {
  if (mediaType === 'application/json-patch+json') {
    if (!isList(value)) throw badRequest('a JSON patch is a list of operations');
    try {
      return jsonPatch(object, value);
    } catch (error) {
      if (error instanceof JsonPatchError) throw rejectedPatch();
      throw error;
    }
  }
  if (!isObject(value)) throw badRequest('a patch is an object');
  return mediaType === 'application/merge-patch+json'
    ? mergePatch(object, value)
    : strategicMerge(object, value, rulesOf(object.kind));
}

function rejectedPatch(): ApiError {
  const message = 'the server rejected our request due to an error in our request';
  return new ApiError({ code: 422, reason: 'Invalid', message });
}

function deleteOptions(exchange: Exchange, body: JsonObject): RemoveOptions & DryRun {
  const inBody = at(body, 'dryRun');
  const policy = textAt(body, 'propagationPolicy') || exchange.parameter('propagationPolicy');
  return {
    dryRun: dryRunOf([...exchange.query.getAll('dryRun'), ...(isList(inBody) ? inBody : [])]),
    orphan: policy === 'Orphan' || at(body, 'orphanDependents') === true,
    uid: textAt(body, 'preconditions', 'uid'),
    resourceVersion: textAt(body, 'preconditions', 'resourceVersion'),
  };
}
