import { buildObject } from '../manifest/build-object.ts';
import { parseManifests, type ManifestFile } from '../manifest/manifest.ts';
import type { ManifestObject } from '../manifest/manifest-object.ts';
import { podKey } from '../model/pod.ts';
import { policyContent, type NetworkPolicy } from '../model/policy.ts';

/** A policy as it is written: in a file of the user's, or else as the lab has it. */
export interface PolicyManifest {
  readonly policy: NetworkPolicy;
  readonly object: ManifestObject;
  readonly file: ManifestFile;
  /** Whether the file is the user's, and may be changed. */
  readonly isOwn: boolean;
}

/** The policy of that namespace and name in a file; the last one if there are several. @returns undefined if there is none, or the file has issues. */
export function policyIn(
  file: ManifestFile,
  key: Pick<NetworkPolicy, 'namespace' | 'name'>,
): Omit<PolicyManifest, 'isOwn'> | undefined {
  const { objects, issues } = parseManifests([file]);
  const object = objects.findLast((each) => each.kind === 'NetworkPolicy' && podKey(each) === podKey(key));
  if (!object || issues.length > 0) return undefined;
  const built = buildObject(object);
  return built.kind === 'policy' ? { policy: built.policy, object, file } : undefined;
}

/** The policy in a file of the user's, if it is there and says what the lab's policy says. */
export function ownManifest(file: ManifestFile, policy: NetworkPolicy): PolicyManifest | undefined {
  const found = policyIn(file, policy);
  return found && policyContent(found.policy) === policyContent(policy) ? { ...found, isOwn: true } : undefined;
}
