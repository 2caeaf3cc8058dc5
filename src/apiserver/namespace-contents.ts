import { nameOf, type ApiObject } from './api-object.ts';
import { birthOf } from './lifecycle.ts';
import type { ObjectChange, ObjectStore } from './object-store.ts';
import { servedKind } from './registry.ts';

/** What a new namespace has from the start: its default service account. Nothing for other objects. */
export function initialContents(store: ObjectStore, created: ApiObject): ObjectChange[] {
  if (created.kind !== 'Namespace') return [];
  const namespace = nameOf(created);
  const resource = servedKind('v1', 'ServiceAccount');
  if (store.get(resource, namespace, 'default')) return [];
  const metadata = { name: 'default', namespace, ...birthOf(store, undefined) };
  return [{ resource, before: undefined, after: { apiVersion: 'v1', kind: 'ServiceAccount', metadata } }];
}
