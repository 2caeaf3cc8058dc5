import type { LabOptions } from '../lab/lab-client.ts';
import { LabError } from '../model/lab-error.ts';
import { BACKEND, CARRY, starterOf, type Backend, type BackendChoice } from './backend.ts';
import { CNI, output, single } from './options.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

interface Options extends BackendChoice {
  readonly labs: string[] | undefined;
  readonly all: boolean;
  readonly jobs: number | undefined;
  readonly name: string | undefined;
  readonly carry: LabOptions['carry'] | undefined;
  readonly cni: LabOptions['cni'] | undefined;
  readonly o: 'text' | 'json' | 'junit' | undefined;
}

/** `run`: a lab from beginning to end. */
export const RUN: Verb<Options> = {
  command: 'run [labs..]',
  describe: 'Run labs: up, every step, down',
  examples: [
    ['run default-deny', 'A shipped lab, step by step'],
    ['run default-deny dns-egress', 'Two labs; the second goes on in the background meanwhile'],
    ['run --all', 'All shipped labs, in a line each'],
    ['run --all -o junit', 'The same for CI'],
    ['run dns-egress --backend compose', 'Its pods as containers'],
    ['run ./my-lab -o json', 'A folder with a lab.yaml; what was found as JSON'],
  ],
  options: (yargs) =>
    yargs
      .positional('labs', {
        type: 'string',
        array: true,
        describe: 'Shipped labs or folders with a lab.yaml',
      })
      .options({
        all: { type: 'boolean', default: false, describe: 'All shipped labs' },
        jobs: {
          ...single('jobs'),
          describe: 'How many labs run at a time',
          defaultDescription: '6 a core',
          coerce: toJobs,
        },
        name: { ...single('name'), describe: 'Name of the lab while it runs; made up if not given' },
        ...BACKEND,
        cni: CNI,
        ...CARRY,
        o: output('text', 'json', 'junit'),
      }),
  run: async ({ labs = [], all, jobs, name, carry, cni, o = 'text', ...choice }, terminal) => {
    const named = await labsToRun(labs, { all, backend: choice.backend }, terminal);
    if (name !== undefined && named.length > 1) throw new LabError('usage', '--name is for one lab alone');
    const { runLabs } = await import('./run-labs.ts');
    const format = all && o === 'text' ? 'brief' : o;
    const options = { ...(carry ? { carry } : {}), ...(cni ? { cni } : {}) };
    return runLabs({ labs: named, jobs, name, options, format, starter: await starterOf(choice) }, terminal);
  },
};

async function labsToRun(
  labs: readonly string[],
  { all, backend }: { all: boolean; backend: Backend },
  terminal: Terminal,
): Promise<readonly string[]> {
  if (all && labs.length > 0) throw new LabError('usage', '--all is every shipped lab: name none beside it');
  if (all) {
    const { shippedLabs } = await import('../lab/shipped.ts');
    const shipped = await shippedLabs();
    const unable = shipped.filter(({ backends }) => !backends.includes(backend)).map(({ name }) => name);
    if (unable.length > 0)
      terminal.complain(`left out, as they do not run by --backend ${backend}: ${unable.join(', ')}`);
    return shipped.map(({ name }) => name).filter((name) => !unable.includes(name));
  }
  if (labs.length === 0) throw new LabError('usage', 'say which labs to run, or --all; "netpol-lab labs" lists them');
  return labs;
}

function toJobs(text: string | string[] | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^[1-9][0-9]{0,2}$/.test(text)) return Number(text);
  throw new LabError('usage', `--jobs wants a number of labs such as 4, got ${String(text)}`);
}
