/**
 * `netpol-lab/manifest`: Kubernetes manifests, read, validated as the API server would, and made a
 * cluster of. One of the two modules that other packages may import.
 */
import type { ManifestFile } from '../manifest/manifest.ts';
import { readManifestFiles } from '../manifest/read-files.ts';

export { AddressPool } from '../manifest/address-pool.ts';
export { buildCluster, type BuiltCluster } from '../manifest/build-cluster.ts';
export { issueText, type Issue } from '../manifest/issue.ts';
export { parseManifests, type ManifestFile, type Manifests } from '../manifest/manifest.ts';
export type { ManifestObject } from '../manifest/manifest-object.ts';
export { ManifestPathError } from '../manifest/read-files.ts';
export { validateObject } from '../manifest/validate.ts';

/** Reads files, and folders with all .yaml, .yml and .json below them. @throws ManifestPathError */
export function readManifests(paths: readonly string[]): Promise<ManifestFile[]> {
  return readManifestFiles(paths, () => Promise.reject(new Error('"-" is no file')));
}
