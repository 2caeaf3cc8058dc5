import { LabError } from '../model/lab-error.ts';
import { single } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly lab: string;
  readonly f: string | undefined;
}

/** `learn`: a task in the terminal, with policies to be written, graded by real connections. */
export const LEARN: Verb<Options> = {
  command: 'learn <lab>',
  describe: 'Solve the task of a lab: write policies, have them graded by real connections',
  examples: [
    ['learn deny-app', 'Policies go to deny-app-policies.yaml in this folder; "help" lists the commands'],
    ['learn deny-app -f mine.yaml', 'To a file of your choice'],
    ['learn deny-app < commands.txt', 'Commands from a file: ends with 0 if the task is solved'],
  ],
  options: (yargs) =>
    yargs
      .positional('lab', { type: 'string', demandOption: true, describe: 'Shipped lab or folder with a lab.yaml' })
      .options({
        f: {
          ...single('filename'),
          alias: ['filename'],
          describe: 'File with your policies; begun for you if it is not there',
          defaultDescription: 'LAB-policies.yaml',
        },
      }),
  run: async ({ lab, f }, terminal) => {
    const [{ loadLab }, { labFolder, shippedLabs }] = await Promise.all([
      import('../lab/lab-file.ts'),
      import('../lab/shipped.ts'),
    ]);
    const loaded = await loadLab(await labFolder(lab));
    const { learn } = loaded;
    if (!learn) {
      const names = (await shippedLabs()).flatMap(({ name, isTask }) => (isTask ? [name] : []));
      throw new LabError('usage', `${loaded.name} has no task; these have: ${names.join(', ')}`);
    }
    const { learnLab } = await import('./learn-lab.ts');
    return learnLab({ lab: loaded, task: learn, file: f ?? `${loaded.name}-policies.yaml` }, terminal);
  },
};
