import { nameOf, type ApiObject } from './api-object.ts';
import type { ChangeSet } from './change-set.ts';
import { birthOf } from './lifecycle.ts';
import { servedKind } from './registry.ts';

/** Makes what a new namespace has from the start: its default service account. Nothing for other objects. */
export function addInitialContents(set: ChangeSet, created: ApiObject): void {
  if (created.kind !== 'Namespace') return;
  const namespace = nameOf(created);
  const resource = servedKind('v1', 'ServiceAccount');
  if (set.get(resource, namespace, 'default')) return;
  const metadata = { name: 'default', namespace, ...birthOf(set, undefined) };
  set.put(resource, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
}
