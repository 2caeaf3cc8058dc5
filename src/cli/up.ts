import type { LabStatus, PodStatus } from '../lab/lab-client.ts';
import { BACKEND, starterOf, type BackendChoice } from './backend.ts';
import { untilSignal } from './interruption.ts';
import { labSpec, LAB_SPEC, type LabChoice } from './lab-spec.ts';
import { warn } from './manifests.ts';
import { output } from './options.ts';
import type { Verb } from './verb.ts';

interface Options extends LabChoice, BackendChoice {
  readonly fresh: boolean;
  readonly o: 'text' | 'json' | undefined;
}

/** `up`: starts a lab and leaves it running. */
export const UP: Verb<Options> = {
  command: 'up [lab]',
  describe: 'Start a lab in the background; returns when every pod is ready',
  examples: [
    ['up default-deny', 'A lab that comes with netpol-lab; "netpol-lab labs" lists them'],
    ['up -f ./manifests', 'Any folder of manifests is a lab'],
    ['up -f web.yaml policies/ --name web --deny reject', 'Denied connections are refused instead of timing out'],
    ['up default-deny --backend compose', 'Its pods are containers of Docker'],
    ['up default-deny --fresh', 'Not as it was when it was killed, but as its manifests say'],
  ],
  options: (yargs) =>
    yargs
      .positional('lab', { type: 'string', describe: 'Shipped lab, or a folder with a lab.yaml' })
      .options({
        ...LAB_SPEC,
        ...BACKEND,
        fresh: {
          type: 'boolean',
          default: false,
          describe: 'Begin with the manifests, also where a lab of this name was killed that would go on as it was',
        },
        o: output('text', 'json'),
      })
      .conflicts('f', 'lab'),
  run: async (options, terminal) => {
    const spec = await labSpec(options);
    const { start } = await starterOf(options);
    const started = performance.now();
    const onProgress = (text: string): void => {
      terminal.progress(text);
    };
    const objects = options.fresh ? 'fresh' : 'resume';
    const status = await untilSignal((signal) => start(spec, onProgress, { objects, signal }));
    if (status.resumed) terminal.complain(resumedText(status));
    warn(status.warnings, terminal);
    if (options.o === 'json') await terminal.printJson(status);
    else await terminal.print(upText(status, performance.now() - started));
    return status.pods.every(isSettled) ? 0 : 1;
  },
};

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
