import { kindNamed } from '../model/kind-names.ts';
import { LabError } from '../model/lab-error.ts';
import { LAB, NAMESPACE, single } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly pod: string;
  readonly command: string[] | undefined;
  readonly namespace: string | undefined;
  readonly c: string | undefined;
  readonly i: boolean | undefined;
  readonly t: boolean | undefined;
  readonly lab: string | undefined;
}

/** `exec`: a command in a pod, on this terminal. */
export const EXEC: Verb<Options> = {
  command: 'exec <pod> [command..]',
  describe: 'Run a command in a pod: its network, its resolver, its host name',
  examples: [
    ['exec client -- curl -m 3 http://web', 'Ends with the exit code of curl'],
    ['exec -n shop deploy/web -- sh', 'A shell in any pod of a workload'],
  ],
  options: (yargs) =>
    yargs
      .positional('pod', { type: 'string', demandOption: true, describe: 'POD, KIND/NAME or NAMESPACE/POD' })
      .positional('command', { type: 'string', array: true, describe: 'Program and arguments, after --' })
      .options({
        namespace: NAMESPACE,
        lab: LAB,
        c: {
          ...single('container'),
          alias: 'container',
          describe: 'Ignored: the containers of a pod share its network',
        },
        i: { type: 'boolean', alias: 'stdin', describe: 'Ignored: input is always passed on' },
        t: { type: 'boolean', alias: 'tty', describe: 'Ignored: a terminal is always passed on' },
      }),
  run: async ({ pod, command: early = [], namespace, lab, '--': rest }) => {
    const command = Array.isArray(rest) ? rest.map(String) : [];
    if (command.length === 0 || early.length > 0) {
      const meant = early.length > 0 ? early.join(' ') : 'COMMAND';
      throw new LabError('usage', `write -- before the command to run: netpol-lab exec ${pod} -- ${meant}`);
    }
    const place = placeOf(pod, namespace);
    const { connectLab } = await import('../lab/connect.ts');
    const { execInPod } = await import('../lab/exec.ts');
    return execInPod(await connectLab(lab), { ...place, command });
  },
};

/** What `POD`, `KIND/NAME`, `NAMESPACE/POD` and `NAMESPACE/KIND/NAME` mean. @throws LabError usage on a second namespace. */
export function placeOf(text: string, namespace: string | undefined): { namespace: string; pod: string } {
  const [first = '', ...others] = text.split('/');
  const own = others.length === 0 || (others.length === 1 && kindNamed(first) !== undefined);
  if (own) return { namespace: namespace ?? 'default', pod: text };
  if (namespace !== undefined && namespace !== first) {
    throw new LabError('usage', `two namespaces: ${first} in ${text}, and -n ${namespace}`);
  }
  return { namespace: first, pod: others.join('/') };
}
