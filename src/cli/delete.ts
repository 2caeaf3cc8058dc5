import { LabError } from '../model/lab-error.ts';
import { printChanges } from './change-report.ts';
import { kindOf } from './input.ts';
import { readManifests } from './manifests.ts';
import { FILES, LAB, NAMESPACE, output } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly kind: string | undefined;
  readonly name: string | undefined;
  readonly f: string[] | undefined;
  readonly namespace: string | undefined;
  readonly lab: string | undefined;
  readonly o: 'text' | 'json' | undefined;
}

/** `delete`: removes objects of a running lab. */
export const DELETE: Verb<Options> = {
  command: 'delete [kind] [name]',
  describe: 'Delete objects from a running lab',
  examples: [
    ['delete -f deny-all.yaml', 'What a file holds'],
    ['delete netpol deny-all -n shop', 'One object'],
  ],
  options: (yargs) =>
    yargs
      .positional('kind', { type: 'string', describe: 'Kind, in any of the forms of kubectl' })
      .positional('name', { type: 'string', describe: 'Name of the object' })
      .options({ f: FILES, namespace: NAMESPACE, lab: LAB, o: output('text', 'json') })
      .conflicts('f', 'kind'),
  run: async ({ kind, name, f, namespace, lab, o }, terminal) => {
    const target = await targetOf({ kind, name, f, namespace });
    const { connectLab } = await import('../lab/connect.ts');
    const client = await connectLab(lab);
    await printChanges(await client.delete(target), { format: o, terminal });
    return 0;
  },
};

async function targetOf({ kind, name, f, namespace }: Pick<Options, 'kind' | 'name' | 'f' | 'namespace'>) {
  if (f !== undefined) return { files: await readManifests(f) };
  if (kind === undefined || name === undefined) throw new LabError('usage', 'give -f PATH, or a kind and a name');
  const known = kindOf(kind);
  return { kind: known.kind, namespace: known.namespaced ? (namespace ?? 'default') : '', name };
}
