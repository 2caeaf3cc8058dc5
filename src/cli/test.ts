import type { CniName } from '../cni/profile.ts';
import { endpointText } from '../model/endpoint.ts';
import { LabError } from '../model/lab-error.ts';
import type { Result } from '../expect/judge.ts';
import { enforcedCluster, readManifests } from './manifests.ts';
import { CNI, FILES, output, single } from './options.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly cni: CniName | undefined;
  readonly f: string[];
  readonly expect: string;
  readonly real: boolean;
  readonly o: 'text' | 'json' | 'junit' | undefined;
}

/** `test`: whether policies do what is expected of them. */
export const TEST: Verb<Options> = {
  command: 'test',
  describe: 'Check expectations of who reaches whom, by the policies or by real connections',
  examples: [
    [
      'test -f manifests/ --expect expect.yaml',
      'Lines such as - { from: shop/web, to: shop/db, port: 5432, verdict: allow }',
    ],
    ['test -f manifests/ --expect expect.yaml --real', 'By real connections, in a lab that is started for it'],
    ['test -f manifests/ --expect expect.yaml -o junit', 'For CI; generate-expectations writes a file to start from'],
  ],
  options: (yargs) =>
    yargs.options({
      f: { ...FILES, demandOption: true },
      expect: { ...single('expect'), demandOption: true, describe: 'File with expectations, - for stdin' },
      real: { type: 'boolean', default: false, describe: 'Connect for real' },
      cni: CNI,
      o: output('text', 'json', 'junit'),
    }),
  run: async ({ f, expect, real, cni = 'reference', o }, terminal) => {
    if (expect === '-' && f.includes('-'))
      throw new LabError('usage', 'stdin cannot be both manifests and expectations');
    const { parseExpectations } = await import('../expect/expectation-file.ts');
    const startedAt = performance.now();
    const files = await readManifests(f);
    const cluster = await enforcedCluster(files, terminal, real ? 'reference' : cni); // a lab enforces by itself
    const expectations = parseExpectations(await textOf(expect), expect === '-' ? 'stdin' : expect);
    const { judge } = await import('../expect/judge.ts');
    const results = real
      ? await (await import('./real-test.ts')).testForReal({ files, cluster, cni }, expectations, terminal)
      : judge(cluster, expectations);
    await report(results, { format: o ?? 'text', seconds: (performance.now() - startedAt) / 1000, terminal });
    return results.every(({ failures }) => failures.length === 0) ? 0 : 1;
  },
};

async function textOf(file: string): Promise<string> {
  if (file === '-') return (await import('node:stream/consumers')).text(process.stdin);
  const { readFile } = await import('node:fs/promises');
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LabError('usage', `${file} cannot be read`, { cause });
  });
}

async function report(
  results: readonly Result[],
  { format, seconds, terminal }: { format: 'text' | 'json' | 'junit'; seconds: number; terminal: Terminal },
): Promise<void> {
  const { expectationText, resultText } = await import('../expect/expectation-text.ts');
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const tally = { passed: results.length - failed, failed, seconds };
  switch (format) {
    case 'json':
      return terminal.printJson({ expectations: results.map(resultJson), ...tally });
    case 'junit': {
      const { junitXml } = await import('../report/junit.ts');
      const cases = results.map(({ expectation, failures }) => {
        return { ...expectation, name: expectationText(expectation), failures };
      });
      return terminal.print(junitXml([{ name: 'netpol-lab test', seconds, cases }]));
    }
    case 'text':
      for (const result of results) await terminal.print(resultText(result, terminal.color));
      return terminal.print(`${tally.passed} passed, ${failed} failed in ${seconds.toFixed(1)} s`);
  }
}

function resultJson({ expectation, connections, failures }: Result): unknown {
  const { from, to, ...others } = expectation;
  return { from: endpointText(from), to: endpointText(to), ...others, connections, failures };
}
