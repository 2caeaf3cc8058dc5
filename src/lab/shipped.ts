import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadLab } from './lab-file.ts';

/** A lab that comes with netpol-lab. */
export interface ShippedLab {
  readonly name: string;
  readonly title: string;
  readonly folder: string;
}

/** The labs of this package, sorted by name. */
export async function shippedLabs(): Promise<readonly ShippedLab[]> {
  // src/lab and dist/lab are both two levels below the package.
  const root = fileURLToPath(new URL('../../labs', import.meta.url));
  const entries = await readdir(root, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(root, name));
  const labs = await Promise.all(folders.sort().map(loadLab));
  return labs.map(({ name, title, folder }) => ({ name, title, folder }));
}

/**
 * The folder of a lab given as users name it: a shipped lab's name, or else a folder.
 * A path with a separator (`./default-deny`) is always a folder.
 */
export async function labFolder(lab: string): Promise<string> {
  const shipped = lab.includes('/') ? undefined : (await shippedLabs()).find(({ name }) => name === lab);
  return shipped?.folder ?? lab;
}
