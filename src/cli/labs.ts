import { table } from '../report/table.ts';
import { output } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly o: 'text' | 'json' | undefined;
}

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
      names.map(async (name) => {
        const { startedAt, pods, policies, staged } = await (await connectLab(name)).status();
        const ready = pods.filter((pod) => pod.ready).length;
        return { name, pods: pods.length, ready, policies, staged, startedAt };
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
    const rows = running.map((lab) => [lab.name, `${lab.ready}/${lab.pods}`, policiesText(lab), lab.startedAt]);
    await terminal.print(
      `\n${rows.length === 0 ? 'No lab runs.' : table([['RUNNING', 'READY', 'POLICIES', 'STARTED'], ...rows])}`,
    );
    return 0;
  },
};

function policiesText({ policies, staged }: { readonly policies: number; readonly staged: number }): string {
  return staged === 0 ? String(policies) : `${policies} + ${staged} staged`;
}
