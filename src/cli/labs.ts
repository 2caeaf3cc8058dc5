import { LabError } from '../model/lab-error.ts';
import { table } from '../report/table.ts';
import { output } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly o: 'text' | 'json' | undefined;
}

/** A lab that runs, or what keeps it from saying how it is. */
type RunningLab =
  | {
      readonly name: string;
      readonly pods: number;
      readonly ready: number;
      readonly policies: number;
      readonly staged: number;
      readonly startedAt: string;
    }
  | { readonly name: string; readonly problem: string };

/** `labs`: the labs that come with netpol-lab, and those that run. */
export const LABS: Verb<Options> = {
  command: 'labs',
  describe: 'List shipped labs, by topic and difficulty, and running ones',
  examples: [
    ['labs', 'What can be run, and what runs'],
    ['labs -o json', 'The same as JSON'],
  ],
  options: (yargs) => yargs.options({ o: output('text', 'json') }),
  run: async ({ o }, terminal) => {
    const [{ shippedLabs }, { connectLab, runningLabs }] = await Promise.all([
      import('../lab/shipped.ts'),
      import('../lab/connect.ts'),
    ]);
    const shipped = await shippedLabs();
    const names = await runningLabs();
    const running = await Promise.all(
      names.map(async (name): Promise<RunningLab> => {
        try {
          const { startedAt, pods, policies, staged } = await (await connectLab(name)).status();
          const ready = pods.filter((pod) => pod.ready).length;
          return { name, pods: pods.length, ready, policies, staged, startedAt };
        } catch (error) {
          if (error instanceof LabError) return { name, problem: error.message };
          throw error;
        }
      }),
    );
    if (o === 'json') {
      await terminal.printJson({ shipped, running });
      return 0;
    }
    const labs = shipped.map(({ name, topic, difficulty, title, isTask }, index) => {
      return [topic === shipped[index - 1]?.topic ? '' : topic, name, difficulty, isTask ? 'yes' : '', title];
    });
    await terminal.print(table([['TOPIC', 'LAB', 'DIFFICULTY', 'LEARN', 'TITLE'], ...labs]));
    const rows = running.map((lab) =>
      'problem' in lab
        ? [lab.name, '?', '?', '?']
        : [lab.name, `${lab.ready}/${lab.pods}`, policiesText(lab), lab.startedAt],
    );
    for (const lab of running) if ('problem' in lab) terminal.complain(`${lab.name}: ${lab.problem}`);
    await terminal.print(
      `\n${rows.length === 0 ? 'No lab runs.' : table([['RUNNING', 'READY', 'POLICIES', 'STARTED'], ...rows])}`,
    );
    return 0;
  },
};

function policiesText({ policies, staged }: { readonly policies: number; readonly staged: number }): string {
  return staged === 0 ? String(policies) : `${policies} + ${staged} staged`;
}
