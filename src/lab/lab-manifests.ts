import type { ManifestFile } from '../manifest/manifest.ts';
import { ManifestPathError, readManifestFiles } from '../manifest/read-files.ts';
import { LabError } from '../model/lab-error.ts';

/** Reads the manifests that a lab names: files and folders. @throws LabError usage if one cannot be read. */
export async function readLabManifests(paths: readonly string[]): Promise<readonly ManifestFile[]> {
  try {
    return await readManifestFiles(paths, () => Promise.resolve(Buffer.of()));
  } catch (error) {
    if (error instanceof ManifestPathError) throw new LabError('usage', error.message, { cause: error });
    throw error;
  }
}
