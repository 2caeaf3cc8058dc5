import type { CniName } from '../cni/profile.ts';
import { LabError } from '../model/lab-error.ts';
import { loadCluster } from './manifests.ts';
import { CNI, FILES, output, single } from './options.ts';
import { linesOf } from './text-lines.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly cni: CniName | undefined;
  readonly f: string[];
  readonly flows: string;
  readonly o: 'text' | 'json' | undefined;
}

/** `replay`: what policies would have done to connections that were recorded. */
export const REPLAY: Verb<Options> = {
  command: 'replay',
  describe: 'Judge recorded connections by policies: which would newly be denied or allowed',
  examples: [
    ['replay --flows flows.jsonl -f manifests/', 'What "flows -o json" printed; exit code 1 if anything would change'],
    ['replay --flows - -f manifests/', 'What "hubble observe -o json" pipes in'],
    ['replay --flows flows.csv -f manifests/', 'A header from,to,port,protocol,verdict'],
  ],
  options: (yargs) =>
    yargs.options({
      flows: { ...single('flows'), demandOption: true, describe: 'File with a flow a line, - for stdin' },
      f: { ...FILES, demandOption: true },
      cni: CNI,
      o: output('text', 'json'),
    }),
  run: async ({ f, flows, cni, o }, terminal) => {
    if (flows === '-' && f.includes('-')) throw new LabError('usage', 'stdin cannot be both manifests and flows');
    const { FlowReader } = await import('../replay/flow-reader.ts');
    const { Replay } = await import('../replay/replay.ts');
    const { replayText } = await import('../replay/replay-text.ts');
    const replay = new Replay(await loadCluster(f, terminal, cni));
    const reader = new FlowReader();
    let number = 0;
    for await (const lines of linesOf(flows)) {
      for (const line of lines) {
        number += 1;
        const reading = reader.read(line);
        if (reading) replay.add(reading, number);
      }
    }
    const report = replay.report();
    if (o === 'json') await terminal.printJson(report);
    else await terminal.print(replayText(report, terminal.color));
    return report.changes.length === 0 ? 0 : 1;
  },
};
