import type { LabOptions } from '../lab/lab-client.ts';
import { LabError } from '../model/lab-error.ts';
import { BACKEND, CARRY, starterOf, type BackendChoice } from './backend.ts';
import { output, single } from './options.ts';
import type { Verb } from './verb.ts';

interface Options extends BackendChoice {
  readonly labs: string[];
  readonly name: string | undefined;
  readonly carry: LabOptions['carry'] | undefined;
  readonly o: 'text' | 'json' | undefined;
}

/** `run`: a lab from beginning to end. */
export const RUN: Verb<Options> = {
  command: 'run <labs..>',
  describe: 'Run labs: up, every step, down',
  examples: [
    ['run default-deny', 'A shipped lab, step by step'],
    ['run default-deny dns-egress', 'Two labs; the second goes on in the background meanwhile'],
    ['run dns-egress --backend compose', 'Its pods as containers'],
    ['run ./my-lab -o json', 'A folder with a lab.yaml; what was found as JSON'],
  ],
  options: (yargs) =>
    yargs
      .positional('labs', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'Shipped labs or folders with a lab.yaml',
      })
      .options({
        name: { ...single('name'), describe: 'Name of the lab while it runs; made up if not given' },
        ...BACKEND,
        ...CARRY,
        o: output('text', 'json'),
      }),
  run: async ({ labs, name, carry, o, ...choice }, terminal) => {
    if (name !== undefined && labs.length > 1) throw new LabError('usage', '--name is for one lab alone');
    const { runLabs } = await import('./run-labs.ts');
    const options = carry ? { carry } : {};
    return runLabs({ labs, name, options, format: o ?? 'text', starter: await starterOf(choice) }, terminal);
  },
};
