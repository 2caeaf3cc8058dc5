import { LabError } from '../model/lab-error.ts';
import { printChanges } from './change-report.ts';
import { kindOf } from './input.ts';
import { LAB, NAMESPACE, output } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly kind: string;
  readonly name: string;
  readonly labels: string[];
  readonly overwrite: boolean;
  readonly namespace: string | undefined;
  readonly lab: string | undefined;
  readonly o: 'text' | 'json' | undefined;
}

/** `label`: changes labels of a pod or a namespace of a running lab. */
export const LABEL: Verb<Options> = {
  command: 'label <kind> <name> <labels..>',
  describe: 'Set or remove labels of a pod or a namespace in a running lab',
  examples: [
    ['label ns shop env=production', 'Sets one'],
    ['label pod web app=other --overwrite', 'Changes one'],
    ['label pod web app-', 'Removes one'],
  ],
  options: (yargs) =>
    yargs
      .positional('kind', { type: 'string', demandOption: true, describe: 'pod or namespace' })
      .positional('name', { type: 'string', demandOption: true, describe: 'Name of the object' })
      .positional('labels', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'KEY=VALUE sets a label, KEY- removes it',
      })
      .options({
        overwrite: { type: 'boolean', default: false, describe: 'Allow to change the value of a label that is there' },
        namespace: NAMESPACE,
        lab: LAB,
        o: output('text', 'json'),
      }),
  run: async ({ kind, name, labels, overwrite, namespace, lab, o }, terminal) => {
    const known = kindOf(kind);
    if (known.kind !== 'Pod' && known.kind !== 'Namespace') {
      throw new LabError('usage', `only pods and namespaces can be labelled, ${known.plural} cannot`);
    }
    const change = {
      kind: known.kind.toLowerCase(),
      namespace: known.namespaced ? (namespace ?? 'default') : '',
      name,
      labels: labelChanges(labels),
      overwrite,
    };
    const { connectLab } = await import('../lab/connect.ts');
    const client = await connectLab(lab);
    await printChanges(await client.label(change), { format: o, terminal });
    return 0;
  },
};

/** `KEY=VALUE` and `KEY-` as changes; null removes. @throws LabError usage on anything else, or a key given twice. */
export function labelChanges(texts: readonly string[]): Record<string, string | null> {
  const changes = new Map<string, string | null>();
  for (const text of texts) {
    const match = /^([^=]+)=(.*)$/.exec(text) ?? /^([^=]+)-$/.exec(text);
    const [, key = '', value = null] = match ?? [];
    if (!match) throw new LabError('usage', `"${text}" is no label: write KEY=VALUE, or KEY- to remove it`);
    if (changes.has(key)) throw new LabError('usage', `label ${key} is given twice`);
    changes.set(key, value);
  }
  return Object.fromEntries(changes);
}
