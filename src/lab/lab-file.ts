import { access, readFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { FieldPath } from '../manifest/field-path.ts';
import { readLabManifests } from './lab-manifests.ts';
import { readDocuments, type YamlDocument } from '../manifest/yaml-document.ts';
import { LabError } from '../model/lab-error.ts';
import { labOptions, type LabOptions, type LabSpec } from './lab-client.ts';
import { labProblemText, problemsOf, type LabFileProblem } from './lab-problem.ts';
import { labSchema, type LabDocument } from './lab-schema.ts';

/** The file that makes a folder a lab. */
export const LAB_FILE = 'lab.yaml';

/** A lab as its folder has it. Its paths are as this process can open them. */
export interface Lab extends LabDocument {
  /** The folder's name. */
  readonly name: string;
  readonly folder: string;
  /** Its lab.yaml, and the line there of what is at a path. */
  readonly file: string;
  readonly lineOf: (path: FieldPath) => number;
}

/**
 * Reads and checks the lab.yaml of a folder, and that the manifests it names are there.
 * @throws LabError usage with a line for each problem: `FILE:LINE FIELD: got X, want Y`.
 */
export async function loadLab(folder: string): Promise<Lab> {
  const shown = shownPath(folder);
  const file = join(shown, LAB_FILE);
  const { value, lineOf } = await readLabFile(file);
  const parsed = labSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw badLab(file, problemsOf(parsed.error.issues), lineOf);
  const missing = await missingManifests(shown, parsed.data);
  if (missing.length > 0) throw badLab(file, missing, lineOf);
  return { ...withPaths(parsed.data, shown), name: basename(resolve(folder)), folder: shown, file, lineOf };
}

/** What to start the lab from, under this name. Options that are given stand in for the lab's own. */
export async function toSpec(lab: Lab, name: string, override: Partial<LabOptions>): Promise<LabSpec> {
  return {
    name,
    files: await readLabManifests(lab.manifests),
    external: lab.external,
    options: labOptions({ ...lab.options, ...override }),
  };
}

async function readLabFile(file: string): Promise<Extract<YamlDocument, { kind: 'value' }>> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LabError('usage', `${file} cannot be read: a lab is a folder with a ${LAB_FILE}`, { cause });
  });
  const [first, second] = readDocuments(text);
  if (first === undefined) throw new LabError('usage', `${file}:1 is empty: a lab needs title, teaches and manifests`);
  if (first.kind === 'unreadable') throw new LabError('usage', `${file}:${first.line} ${first.message}`);
  if (second === undefined) return first;
  const line = second.kind === 'value' ? second.lineOf([]) : second.line;
  throw new LabError('usage', `${file}:${line} a second document: a lab is one`);
}

function badLab(file: string, problems: readonly LabFileProblem[], lineOf: (path: FieldPath) => number): LabError {
  const lines = problems.map((problem) => labProblemText(problem, { file, line: lineOf(problem.path) }));
  return new LabError('usage', lines.join('\n'));
}

async function missingManifests(folder: string, lab: LabDocument): Promise<LabFileProblem[]> {
  const named = [
    ...lab.manifests.map((path, at) => ({ path, field: ['manifests', at] })),
    ...lab.steps.flatMap((step, index) => [
      ...step.apply.map((path, at) => ({ path, field: ['steps', index, 'apply', at] })),
      ...step.delete.map((path, at) => ({ path, field: ['steps', index, 'delete', at] })),
    ]),
    ...(lab.learn?.solution ?? []).map((path, at) => ({ path, field: ['learn', 'solution', at] })),
    ...(lab.learn?.start ? [{ path: lab.learn.start, field: ['learn', 'start'] }] : []),
  ];
  const problems = await Promise.all(
    named.map(async ({ path, field }): Promise<LabFileProblem[]> => {
      const found = await access(resolve(folder, path)).then(
        () => true,
        () => false,
      );
      return found ? [] : [{ path: field, message: `${join(folder, path)} cannot be read` }];
    }),
  );
  return problems.flat();
}

function withPaths(lab: LabDocument, folder: string): LabDocument {
  const within = (paths: readonly string[]): string[] => paths.map((path) => shownPath(resolve(folder, path)));
  const { learn } = lab;
  return {
    ...lab,
    learn: learn && {
      ...learn,
      start: learn.start === null ? null : shownPath(resolve(folder, learn.start)),
      solution: within(learn.solution),
    },
    manifests: within(lab.manifests),
    steps: lab.steps.map((step) => ({ ...step, apply: within(step.apply), delete: within(step.delete) })),
  };
}

/** A path as short as it can be typed: relative to the working folder if it is in there. */
function shownPath(path: string): string {
  const absolute = resolve(path);
  const short = relative('', absolute);
  if (short === '') return '.';
  return short.startsWith('..') ? absolute : short;
}
