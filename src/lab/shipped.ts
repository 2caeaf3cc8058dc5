import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabError } from '../model/lab-error.ts';
import { suggestion } from '../model/nearest-name.ts';
import { loadLab } from './lab-file.ts';
import { DIFFICULTIES, TOPICS, type LabDocument } from './lab-schema.ts';

/** A lab that comes with netpol-lab. */
export interface ShippedLab extends Pick<LabDocument, 'title' | 'topic' | 'difficulty' | 'backends'> {
  readonly name: string;
  readonly folder: string;
  /** Whether it has a task for `learn`. */
  readonly isTask: boolean;
}

// src/lab and dist/lab are both two levels below the package.
const ROOT = fileURLToPath(new URL('../../labs', import.meta.url));

/** The labs of this package in a good order to read them: by topic, the easy ones first, then by name. */
export async function shippedLabs(): Promise<readonly ShippedLab[]> {
  const names = await shippedNames();
  const labs = await Promise.all(names.map((name) => loadLab(join(ROOT, name))));
  return labs
    .map(({ name, title, topic, difficulty, backends, folder, learn }) => {
      return { name, title, topic, difficulty, backends, folder, isTask: learn !== null };
    })
    .sort((one, other) => rank(one) - rank(other));
}

/** Where a lab stands in the reading order; names, which are sorted already, settle the rest. */
function rank({ topic, difficulty }: ShippedLab): number {
  return TOPICS.indexOf(topic) * DIFFICULTIES.length + DIFFICULTIES.indexOf(difficulty);
}

/**
 * The folder of a lab given as users name it: a shipped lab's name, or else a folder.
 * A path with a separator (`./default-deny`) is always a folder.
 * @throws LabError usage if it is neither.
 */
export async function labFolder(lab: string): Promise<string> {
  const names = await shippedNames();
  if (!lab.includes('/') && names.includes(lab)) return join(ROOT, lab);
  const isFolder = await stat(lab).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (isFolder) return lab;
  throw new LabError('usage', `no lab and no folder ${lab}${suggestion(lab, names)}; "netpol-lab labs" lists the labs`);
}

async function shippedNames(): Promise<string[]> {
  const entries = await readdir(ROOT, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? entry.name : [])).sort();
}
