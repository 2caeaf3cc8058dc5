import { LabError } from '../model/lab-error.ts';
import { LAB } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly args: string[] | undefined;
  readonly lab: string | undefined;
}

/** `kubectl`: this machine's kubectl on a lab. */
export const KUBECTL: Verb<Options> = {
  command: 'kubectl [args..]',
  describe: "Run this machine's kubectl on a running lab",
  examples: [
    ['kubectl -- get netpol -A', 'Ends with the exit code of kubectl'],
    ['kubectl --lab shop -- scale deploy/web --replicas 3', 'On one of several labs'],
  ],
  options: (yargs) =>
    yargs
      .positional('args', { type: 'string', array: true, describe: "kubectl's own arguments, after --" })
      .options({ lab: LAB }),
  run: async ({ args: early = [], lab, '--': rest }) => {
    const args = Array.isArray(rest) ? rest.map(String) : [];
    if (args.length === 0 || early.length > 0) {
      const meant = early.length > 0 ? early.join(' ') : 'get netpol';
      throw new LabError('usage', `write -- before kubectl's arguments: netpol-lab kubectl -- ${meant}`);
    }
    const [{ connectLab }, { runHere }] = await Promise.all([import('../lab/connect.ts'), import('../lab/exec.ts')]);
    const { api } = await (await connectLab(lab)).status();
    const exit = await runHere(['kubectl', ...args], { ...process.env, KUBECONFIG: api.kubeconfig });
    if (exit === undefined) {
      throw new LabError(
        'environment',
        'kubectl is not on this machine: install it (https://kubernetes.io/docs/tasks/tools)',
      );
    }
    return exit;
  },
};
