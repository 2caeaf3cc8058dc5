import type { CniName } from '../cni/profile.ts';
import { endpointOf, portOf } from './input.ts';
import { loadCluster } from './manifests.ts';
import { CNI, FILES, FROM, output, PORT, single, TO } from './options.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';
import { LabError } from '../model/lab-error.ts';

interface Options {
  readonly cni: CniName | undefined;
  readonly f: string[];
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly port: string | undefined;
  readonly queries: string | undefined;
  readonly o: 'text' | 'json' | undefined;
}

/** `check`: decides connections from manifests alone. */
export const CHECK: Verb<Options> = {
  command: 'check',
  describe: 'Decide connections from manifests, without running anything',
  examples: [
    ['check -f policies/ --from default/client --to default/web --port 80', 'One connection; exit code 1 if denied'],
    ['check -f policies/ --from 192.0.2.7 --to default/deploy/web --port 443/TCP', 'From outside to a workload'],
    [
      'check -f policies/ --queries queries.jsonl',
      'Lines such as {"from":"default/a","to":"10.244.0.5","protocol":"TCP","port":80}',
    ],
  ],
  options: (yargs) =>
    yargs
      .options({
        f: { ...FILES, demandOption: true },
        from: FROM,
        to: TO,
        port: PORT,
        queries: { ...single('queries'), describe: 'File with a JSON query a line, - for stdin' },
        cni: CNI,
        o: output('text', 'json'),
      })
      .conflicts('queries', ['from', 'to', 'port']),
  run: async ({ f, from, to, port, queries, cni, o }, terminal) => {
    if (queries !== undefined) {
      if (queries === '-' && f.includes('-')) throw new LabError('usage', 'stdin cannot be both manifests and queries');
      const { answerQueries } = await import('./check-queries.ts');
      await answerQueries(await loadCluster(f, terminal, cni), { file: queries, format: o ?? 'json', terminal });
      return 0;
    }
    if (from === undefined || to === undefined || port === undefined) {
      throw new LabError('usage', 'give --from, --to and --port, or --queries');
    }
    return oneQuestion({ files: f, from, to, port, cni, json: o === 'json' }, terminal);
  },
};

async function oneQuestion(
  question: {
    files: readonly string[];
    from: string;
    to: string;
    port: string;
    cni: CniName | undefined;
    json: boolean;
  },
  terminal: Terminal,
): Promise<number> {
  const { compile } = await import('../table/compile.ts');
  const { explainQuestion } = await import('../lab/lab-question.ts');
  const { explanationText } = await import('../report/verdict-text.ts');
  const { from, to } = question;
  const { protocol, port } = portOf(question.port);
  for (const end of [from, to]) endpointOf(end); // before the manifests are read
  const cluster = await loadCluster(question.files, terminal, question.cni);
  const explanation = explainQuestion(compile(cluster), { from, to, protocol, port });
  const asked = { from, to, protocol, port };
  if (question.json) {
    const { notes: _, ...facts } = explanation;
    await terminal.printJson({ ...asked, ...facts, from, to });
  } else {
    await terminal.print(explanationText(asked, explanation, terminal.color));
  }
  return explanation.verdict === 'allow' ? 0 : 1;
}
