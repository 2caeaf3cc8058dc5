import { LAB, output } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly f: boolean;
  readonly lab: string | undefined;
  readonly o: 'text' | 'json' | undefined;
}

/** `flows`: the connections that a lab has judged. */
export const FLOWS: Verb<Options> = {
  command: 'flows',
  describe: 'List the connections of a running lab and their verdicts',
  examples: [
    ['flows', 'Those so far'],
    ['flows -f', 'Those to come as well, until Ctrl-C'],
    ['flows -o json', 'A JSON object a line'],
  ],
  options: (yargs) =>
    yargs.options({
      f: { type: 'boolean', alias: 'follow', default: false, describe: 'Go on as connections are made' },
      lab: LAB,
      o: output('text', 'json'),
    }),
  run: async ({ f, lab, o }, terminal) => {
    const { connectLab } = await import('../lab/connect.ts');
    const { flowLine } = await import('../report/flow-line.ts');
    const client = await connectLab(lab);
    const stop = new AbortController();
    const onInterrupt = (): void => {
      stop.abort();
    };
    process.once('SIGINT', onInterrupt);
    try {
      for await (const event of client.flows({ follow: f, signal: stop.signal })) {
        await terminal.print(o === 'json' ? JSON.stringify(event) : flowLine(event, terminal.color));
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      process.off('SIGINT', onInterrupt);
    }
    return 0;
  },
};
