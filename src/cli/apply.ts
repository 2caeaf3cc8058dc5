import { printChanges } from './change-report.ts';
import { readManifests } from './manifests.ts';
import { FILES, LAB, output } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly f: string[];
  readonly staged: boolean;
  readonly lab: string | undefined;
  readonly o: 'text' | 'json' | undefined;
}

/** `apply`: creates or changes objects of a running lab. */
export const APPLY: Verb<Options> = {
  command: 'apply',
  describe: 'Create or change objects in a running lab; returns when they are enforced',
  examples: [
    ['apply -f deny-all.yaml', 'A policy'],
    ['apply -f -', 'What comes by stdin'],
    [
      'apply --staged -f deny-all.yaml',
      'Not enforced: flows tell what it would change, until it is applied or deleted',
    ],
  ],
  options: (yargs) =>
    yargs.options({
      f: { ...FILES, demandOption: true },
      staged: {
        type: 'boolean',
        default: false,
        describe: 'Do not enforce the policies: have flows tell what they would change',
      },
      lab: LAB,
      o: output('text', 'json'),
    }),
  run: async ({ f, staged, lab, o }, terminal) => {
    const { connectLab } = await import('../lab/connect.ts');
    const files = await readManifests(f);
    const client = await connectLab(lab);
    const report = await (staged ? client.stage(files) : client.apply(files));
    await printChanges(report, { format: o, terminal });
    return 0;
  },
};
