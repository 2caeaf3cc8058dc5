import type { ControlClient } from '../lab/control-client.ts';
import { LabError } from '../model/lab-error.ts';
import type { Told } from './denial.ts';
import { LAB, NAMESPACE, output } from './options.ts';
import type { Proof } from './proof.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly pod: string | undefined;
  readonly last: boolean | undefined;
  readonly prove: boolean;
  readonly namespace: string | undefined;
  readonly lab: string | undefined;
  readonly o: 'text' | 'json' | 'patch' | undefined;
}

/** `why`: the story of the last denied connection, and the smallest change that would allow it. */
export const WHY: Verb<Options> = {
  command: 'why [pod]',
  describe: 'Say why the last connection was denied, and what change would allow it',
  examples: [
    ['why', 'The last denied connection of the lab'],
    ['why client', 'The last one from or to a pod'],
    ['why --prove', 'Tries that change by the same connection in a copy of the lab'],
    ['why -o patch | patch -p0', 'Makes the smallest change that allows it in your manifests'],
  ],
  options: (yargs) =>
    yargs
      .positional('pod', { type: 'string', describe: 'POD, KIND/NAME, NAMESPACE/POD or an address, at either end' })
      .options({
        last: { type: 'boolean', describe: 'The last one of all pods, as without POD' },
        prove: {
          type: 'boolean',
          default: false,
          describe: 'Try the change in a copy of the lab, which is gone afterwards',
        },
        namespace: NAMESPACE,
        lab: LAB,
        o: output('text', 'json', 'patch'),
      }),
  run: async ({ pod, last, prove, namespace, lab, o }, terminal) => {
    if (last === true && pod !== undefined) throw new LabError('usage', 'give POD or --last');
    const { connectLab } = await import('../lab/connect.ts');
    const { lastStory } = await import('./denial.ts');
    const client = await connectLab(lab);
    const told = await lastStory(client, { pod, namespace });
    switch (told.kind) {
      case 'none':
        terminal.complain(told.message);
        return 1;
      case 'gone':
        await tellGone(told, terminal);
        return 1;
      case 'story': {
        const answer = { ...told, proof: prove ? await proofOf(client, told, terminal) : undefined };
        return tell(answer, { pod, namespace, lab, o }, terminal);
      }
    }
  },
};

/** A story, and what came of trying its change. */
interface Answer extends Pick<Extract<Told, { kind: 'story' }>, 'story'> {
  /** Undefined if it was not asked for, or there is no change to try. */
  readonly proof: Proof | undefined;
}

async function proofOf(
  client: ControlClient,
  { story, cluster }: Extract<Told, { kind: 'story' }>,
  terminal: Terminal,
): Promise<Proof | undefined> {
  const { connection, remedy } = story;
  if (!remedy) return undefined;
  const { prove } = await import('./proof.ts');
  return prove(client, { cluster, connection, changes: remedy.changes }, (text) => {
    terminal.progress(`a copy of lab ${client.name}: ${text}`);
  });
}

async function tell({ story, proof }: Answer, options: Shown, terminal: Terminal): Promise<number> {
  const { storyJson, storyText } = await import('../why/story-text.ts');
  const failed = proof?.proven === false;
  switch (options.o) {
    case 'json':
      await terminal.printJson({ ...storyJson(story), ...(proof ? { proof } : {}) });
      return failed ? 1 : 0;
    case 'patch':
      return writePatch({ story, proof }, terminal);
    default:
      await terminal.print(
        storyText(story, { color: terminal.color, isProven: proof !== undefined, ...commandsOf(options) }),
      );
      if (proof) await terminal.print(`\n${(await import('./proof.ts')).proofText(proof)}`);
      return failed ? 1 : 0;
  }
}

async function writePatch({ story: { remedy, report }, proof }: Answer, terminal: Terminal): Promise<number> {
  if (!remedy) {
    terminal.complain(report.verdict === 'allow' ? 'it is allowed by now' : 'no change is known that allows it');
    return 1;
  }
  if (proof?.proven === false) {
    terminal.complain((await import('./proof.ts')).proofText(proof));
    return 1;
  }
  const { patchOf } = await import('../why/patch.ts');
  await terminal.write(patchOf(remedy.changes).text);
  return 0;
}

async function tellGone({ flow, pod }: Extract<Told, { kind: 'gone' }>, terminal: Terminal): Promise<void> {
  const { flowLine } = await import('../report/flow-line.ts');
  await terminal.print(flowLine(flow, terminal.color));
  terminal.complain(`pod ${pod} is gone, or has no such address any more: connect again, then ask again`);
}

type Shown = Pick<Options, 'pod' | 'namespace' | 'lab' | 'o'>;

/** How the user goes on from here. */
function commandsOf({ pod, namespace, lab }: Shown): { command: string; applyCommand: string } {
  const ofLab = lab === undefined ? '' : ` --lab ${lab}`;
  const whose = `${pod === undefined ? '' : ` ${pod}`}${namespace === undefined ? '' : ` -n ${namespace}`}`;
  return { command: `netpol-lab why${whose}${ofLab}`, applyCommand: `netpol-lab apply${ofLab}` };
}
