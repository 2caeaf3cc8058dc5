import { LabError } from '../model/lab-error.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly name: string | undefined;
  readonly all: boolean;
}

/** `down`: ends labs and leaves nothing of them. */
export const DOWN: Verb<Options> = {
  command: 'down [name]',
  describe: 'End a running lab',
  examples: [
    ['down', 'The only one that runs'],
    ['down default-deny', 'One by its name'],
    ['down --all', 'All of this user'],
  ],
  options: (yargs) =>
    yargs
      .positional('name', { type: 'string', describe: 'Name of the lab' })
      .options({ all: { type: 'boolean', default: false, describe: 'End every lab of this user' } }),
  run: async ({ name, all }, terminal) => {
    if (all && name !== undefined) throw new LabError('usage', 'give a name or --all, not both');
    const { ownLabs, removeCrashed, runningLabs } = await import('../lab/connect.ts');
    const running = await (all ? ownLabs() : runningLabs());
    const crashed = all || (name !== undefined && !running.includes(name)) ? await removeCrashed(name) : [];
    for (const lab of crashed) await terminal.print(`lab ${lab} had crashed; what it left is removed`);
    if (name !== undefined && crashed.includes(name)) return 0;
    const only = running.length === 1 ? running[0] : undefined;
    const chosen = all ? running : [name ?? only];
    await Promise.all(chosen.map((lab) => stop(lab, terminal)));
    if (chosen.length === 0 && crashed.length === 0) await terminal.print('no lab runs');
    return 0;
  },
};

/** Ends a lab; without a name the error says which there are. */
async function stop(name: string | undefined, terminal: Terminal): Promise<void> {
  const { connectLab } = await import('../lab/connect.ts');
  const client = await connectLab(name);
  terminal.progress('ending');
  await client.stop();
  await terminal.print(`lab ${name ?? ''} is down`);
}
