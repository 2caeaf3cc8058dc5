import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { LabOptions, LabSpec, LabStatus, PodStatus } from '../lab/lab-client.ts';
import { LabError } from '../model/lab-error.ts';
import { untilSignal } from './interruption.ts';
import { build, readManifests, refuseIssues, warn } from './manifests.ts';
import { FILES, output, single } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly lab: string | undefined;
  readonly f: string[] | undefined;
  readonly name: string | undefined;
  readonly deny: LabOptions['deny'] | undefined;
  readonly established: LabOptions['established'] | undefined;
  readonly fresh: boolean;
  readonly o: 'text' | 'json' | undefined;
}

const MAX_NAME_LENGTH = 40; // state-folder.ts takes no longer ones

/** `up`: starts a lab and leaves it running. */
export const UP: Verb<Options> = {
  command: 'up [lab]',
  describe: 'Start a lab in the background; returns when every pod is ready',
  examples: [
    ['up default-deny', 'A lab that comes with netpol-lab; "netpol-lab labs" lists them'],
    ['up -f ./manifests', 'Any folder of manifests is a lab'],
    ['up -f web.yaml policies/ --name web --deny reject', 'Denied connections are refused instead of timing out'],
    ['up default-deny --fresh', 'Not as it was when it was killed, but as its manifests say'],
  ],
  options: (yargs) =>
    yargs
      .positional('lab', { type: 'string', describe: 'Shipped lab, or a folder with a lab.yaml' })
      .options({
        f: FILES,
        name: { ...single('name'), describe: 'Name of the running lab' },
        deny: { choices: ['drop', 'reject'] as const, describe: 'How a denial looks', defaultDescription: 'drop' },
        established: {
          choices: ['keep', 'strict'] as const,
          describe: 'What becomes of open connections that a new policy denies',
          defaultDescription: 'keep',
        },
        fresh: {
          type: 'boolean',
          default: false,
          describe: 'Begin with the manifests, also where a lab of this name was killed that would go on as it was',
        },
        o: output('text', 'json'),
      })
      .conflicts('f', 'lab'),
  run: async (options, terminal) => {
    const spec = await specOf(options);
    const { startLab } = await import('../lab/start.ts');
    const started = performance.now();
    const onProgress = (text: string): void => {
      terminal.progress(text);
    };
    const objects = options.fresh ? 'fresh' : 'resume';
    const status = await untilSignal((signal) => startLab(spec, onProgress, { objects, signal }));
    if (status.resumed) terminal.complain(resumedText(status));
    warn(status.warnings, terminal);
    if (options.o === 'json') await terminal.printJson(status);
    else await terminal.print(upText(status, performance.now() - started));
    return status.pods.every(isSettled) ? 0 : 1;
  },
};

async function specOf({ lab, f, name, deny, established }: Options): Promise<LabSpec> {
  const override: Partial<LabOptions> = { ...(deny ? { deny } : {}), ...(established ? { established } : {}) };
  const [folder, ...others] = f ?? [];
  const ofLabFile = lab === undefined && folder !== undefined && others.length === 0 && (await hasLabFile(folder));
  if (lab !== undefined || ofLabFile) {
    const { loadLab, toSpec } = await import('../lab/lab-file.ts');
    const { labFolder } = await import('../lab/shipped.ts');
    const loaded = await loadLab(ofLabFile ? folder : await labFolder(lab ?? ''));
    return toSpec(loaded, name ?? loaded.name, override);
  }
  if (f === undefined || folder === undefined) {
    throw new LabError(
      'usage',
      'say which lab: netpol-lab up LAB, or up -f PATH; "netpol-lab labs" lists those shipped',
    );
  }
  const files = await readManifests(f);
  await refuseIssues((await build(files)).issues); // its warnings come from the lab
  return {
    name: name ?? nameOf(folder),
    files,
    external: [],
    options: { deny: 'drop', established: 'keep', ...override },
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

function upText({ name, pods, rootless }: LabStatus, ms: number): string {
  const [pod] = pods.filter(({ namespace }) => namespace !== 'kube-system');
  const ready = pods.filter((each) => each.ready).length;
  const done = pods.filter(({ phase }) => phase === 'Succeeded').length;
  const count = ready === 1 ? '1 pod ready' : `${ready} pods ready`;
  return [
    `lab ${name} is up${rootless ? ', rootless' : ''}: ${count}${done === 0 ? '' : `, ${done} completed`} in ${(ms / 1000).toFixed(2)} s`,
    ...pods.filter((each) => !isSettled(each)).map(notReadyText),
    ...(pod ? [`  netpol-lab exec --lab ${name} ${pod.namespace}/${pod.name} -- COMMAND`] : []),
    `  netpol-lab down ${name}`,
  ].join('\n');
}

function resumedText({ name }: LabStatus): string {
  return `lab ${name} was killed and goes on as it was, whatever its manifests say now: begin anew with "up --fresh"`;
}

function notReadyText({ namespace, name, phase, message }: PodStatus): string {
  return `  not ready: ${namespace}/${name} (${phase}${message === '' ? '' : `, ${message}`})`;
}

/** Whether the pod is as it is meant to be: ready, or completed. */
function isSettled({ ready, phase }: PodStatus): boolean {
  return ready || phase === 'Succeeded';
}
