import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Options } from 'yargs';
import { labOptions, type LabOptions, type LabSpec } from '../lab/lab-client.ts';
import { LabError } from '../model/lab-error.ts';
import { CARRY } from './backend.ts';
import { build, readManifests, refuseIssues } from './manifests.ts';
import { CNI, FILES, single } from './options.ts';

/** A lab as it is chosen on the command line: a lab's name or folder, or manifests, and what to have otherwise than it says. */
export interface LabChoice {
  readonly lab: string | undefined;
  readonly f: string[] | undefined;
  readonly name: string | undefined;
  readonly deny: LabOptions['deny'] | undefined;
  readonly established: LabOptions['established'] | undefined;
  readonly carry: LabOptions['carry'] | undefined;
  readonly cni: LabOptions['cni'] | undefined;
}

/** The options that choose a lab, but for the positional `lab`. */
export const LAB_SPEC = {
  f: FILES,
  name: { ...single('name'), describe: 'Name of the running lab' },
  deny: { choices: ['drop', 'reject'] as const, describe: 'How a denial looks', defaultDescription: 'drop' },
  established: {
    choices: ['keep', 'strict'] as const,
    describe: 'What becomes of open connections that a new policy denies',
    defaultDescription: 'as the CNI does; keep',
  },
  cni: CNI,
  ...CARRY,
} as const satisfies Record<string, Options>;

const MAX_NAME_LENGTH = 40; // state-folder.ts takes no longer ones

/** What a lab is started from, chosen on the command line. @throws LabError usage for a lab or manifests that there are not, or that have issues. */
export async function labSpec({ lab, f, name, deny, established, carry, cni }: LabChoice): Promise<LabSpec> {
  const override: Partial<LabOptions> = {
    ...(deny ? { deny } : {}),
    ...(established ? { established } : {}),
    ...(carry ? { carry } : {}),
    ...(cni ? { cni } : {}),
  };
  const [folder, ...others] = f ?? [];
  const ofLabFile = lab === undefined && folder !== undefined && others.length === 0 && (await hasLabFile(folder));
  if (lab !== undefined || ofLabFile) {
    const { loadLab, toSpec } = await import('../lab/lab-file.ts');
    const { labFolder } = await import('../lab/shipped.ts');
    const loaded = await loadLab(ofLabFile ? folder : await labFolder(lab ?? ''));
    return toSpec(loaded, name ?? loaded.name, override);
  }
  if (f === undefined || folder === undefined) {
    throw new LabError('usage', 'say which lab: LAB, or -f PATH; "netpol-lab labs" lists those shipped');
  }
  const files = await readManifests(f);
  await refuseIssues((await build(files)).issues); // its warnings come from the lab
  return {
    name: name ?? nameOf(folder),
    files,
    external: [],
    options: labOptions(override),
  };
}

async function hasLabFile(folder: string): Promise<boolean> {
  const { LAB_FILE } = await import('../lab/lab-file.ts');
  return existsSync(join(folder, LAB_FILE));
}

/** A lab's name from the path of its manifests. */
function nameOf(path: string): string {
  const base = basename(resolve(path))
    .toLowerCase()
    .replace(/\.(?:ya?ml|json)$/, '');
  const name = base
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_NAME_LENGTH)
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'lab' : name;
}
