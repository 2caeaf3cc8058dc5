import type { JsonObject } from '../manifest/json.ts';
import { numberAt, sameJson, textAt, uidOf, without, type ApiObject } from './api-object.ts';
import type { Resource } from './registry.ts';

/** The store's sources of time and of names that are like no other. */
export interface Origin {
  readonly now: () => Date;
  readonly makeUid: () => string;
}

/** The metadata that an object keeps from its first to its last day. */
export function birthOf(origin: Origin, before: ApiObject | undefined): JsonObject {
  return {
    uid: before ? uidOf(before) : origin.makeUid(),
    creationTimestamp: before ? textAt(before, 'metadata', 'creationTimestamp') : timestamp(origin.now()),
  };
}

/** The generation after the change: one more if anything but metadata and status is another. */
export function generationOf(resource: Resource, before: ApiObject | undefined, after: JsonObject): JsonObject {
  if (!resource.hasGeneration) return {};
  const asked = (object: JsonObject): JsonObject => without(object, 'metadata', 'status');
  const earlier = numberAt(before, 'metadata', 'generation');
  return { generation: before && sameJson(asked(before), asked(after)) ? earlier : earlier + 1 };
}

/** Whether both are the same but for their versions and the record of who wrote what. */
export function sameContent(before: ApiObject, after: ApiObject): boolean {
  const metadata = (object: ApiObject): JsonObject => without(object.metadata, 'resourceVersion', 'managedFields');
  return (
    sameJson(without(before, 'metadata'), without(after, 'metadata')) && sameJson(metadata(before), metadata(after))
  );
}

/** A time as the API writes it: UTC, whole seconds. */
export function timestamp(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
