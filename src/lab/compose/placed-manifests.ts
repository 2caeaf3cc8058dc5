import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManifestFile } from '../../manifest/manifest.ts';

/** In the folder of a lab's manifests: their paths as the user named them, a list in JSON. The first's text is in the file `1`. */
export const MANIFEST_PATHS = 'paths.json';

/** Reads a lab's manifests, in the order in which they are given, as a compose file places them. */
export async function placedManifests(folder: string): Promise<readonly ManifestFile[]> {
  const paths = JSON.parse(await readFile(join(folder, MANIFEST_PATHS), 'utf8')) as string[];
  const texts = await Promise.all(paths.map((_, index) => readFile(join(folder, String(index + 1)), 'utf8')));
  return paths.map((path, index) => ({ path, text: texts[index] ?? '' }));
}
