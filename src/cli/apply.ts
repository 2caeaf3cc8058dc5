import { printChanges } from './change-report.ts';
import { readManifests } from './manifests.ts';
import { FILES, LAB, output } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly f: string[];
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
  ],
  options: (yargs) => yargs.options({ f: { ...FILES, demandOption: true }, lab: LAB, o: output('text', 'json') }),
  run: async ({ f, lab, o }, terminal) => {
    const { connectLab } = await import('../lab/connect.ts');
    const files = await readManifests(f);
    const client = await connectLab(lab);
    await printChanges(await client.apply(files), { format: o, terminal });
    return 0;
  },
};
