import { issueText } from '../manifest/issue.ts';
import { readLabManifests } from './lab-manifests.ts';
import { LabError } from '../model/lab-error.ts';
import type { ChangeReport, ChangeResult, LabClient } from './lab-client.ts';
import type { LabStep } from './lab-schema.ts';

/** A change that a step made. `command` is what a user would type for it after `netpol-lab`. */
export interface StepChange {
  readonly command: string;
  readonly results: readonly ChangeResult[];
  readonly warnings: readonly string[];
  readonly enforcedMs: number;
}

/**
 * Makes the changes of a step: applies, deletes, then labels. They are in force when it returns.
 * @throws LabError usage if the lab refuses one; the step cannot go on then.
 */
export async function makeChanges(client: LabClient, step: LabStep): Promise<StepChange[]> {
  const changes: StepChange[] = [];
  if (step.apply.length > 0) {
    const report = await client.apply(await readLabManifests(step.apply));
    changes.push(changeOf(`apply ${filesText(step.apply)}`, report));
  }
  if (step.delete.length > 0) {
    const report = await client.delete({ files: await readLabManifests(step.delete) });
    changes.push(changeOf(`delete ${filesText(step.delete)}`, report));
  }
  for (const change of step.label) {
    const report = await client.label({ ...change, overwrite: true });
    changes.push(changeOf(labelText(change), report));
  }
  return changes;
}

function changeOf(command: string, { issues, results, warnings, enforcedMs }: ChangeReport): StepChange {
  if (issues.length > 0) throw new LabError('usage', issues.map(issueText).join('\n'));
  return { command, results, warnings, enforcedMs };
}

function filesText(files: readonly string[]): string {
  return files.map((file) => `-f ${file}`).join(' ');
}

function labelText({ kind, namespace, name, labels }: LabStep['label'][number]): string {
  const pairs = Object.entries(labels).map(([key, value]) => (value === null ? `${key}-` : `${key}=${value}`));
  return [
    'label',
    kind.toLowerCase(),
    name,
    ...pairs,
    ...(namespace === '' ? [] : ['-n', namespace]),
    '--overwrite',
  ].join(' ');
}
