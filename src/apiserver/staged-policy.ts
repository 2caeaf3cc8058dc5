import type { ManifestObject } from '../manifest/manifest-object.ts';
import { servedKind } from './registry.ts';

/** The resource of policies that are looked at and not enforced. */
export const STAGED_POLICY = servedKind('netpol-lab.dev/v1', 'StagedNetworkPolicy');

/** The resource of policies that are enforced. */
export const POLICY = servedKind('networking.k8s.io/v1', 'NetworkPolicy');

/** A staged policy as the NetworkPolicy that it would be; any other object as it is. */
export function unstaged(object: ManifestObject): ManifestObject {
  if (object.kind !== STAGED_POLICY.kind) return object;
  return { ...object, apiVersion: 'networking.k8s.io/v1', kind: POLICY.kind };
}
