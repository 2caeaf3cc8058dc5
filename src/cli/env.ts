import { LabError } from '../model/lab-error.ts';
import { LAB } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly name: string | undefined;
  readonly lab: string | undefined;
}

/** `env`: what makes kubectl in this shell talk to a lab. */
export const ENV: Verb<Options> = {
  command: 'env [name]',
  describe: 'Print the shell command that points kubectl at a running lab',
  examples: [['env', 'Use it as: eval "$(netpol-lab env)"; kubectl get pods']],
  options: (yargs) =>
    yargs
      .positional('name', { type: 'string', describe: 'Running lab; needless if only one runs' })
      .options({ lab: { ...LAB, hidden: true } }),
  run: async ({ name, lab }, terminal) => {
    if (name !== undefined && lab !== undefined && name !== lab) {
      throw new LabError('usage', `two labs: ${name}, and --lab ${lab}`);
    }
    const { connectLab } = await import('../lab/connect.ts');
    const { api } = await (await connectLab(name ?? lab)).status();
    await terminal.print(`export KUBECONFIG='${api.kubeconfig.replaceAll("'", `'\\''`)}'`);
    return 0;
  },
};
