import type { CniName } from '../cni/profile.ts';
import { loadCluster } from './manifests.ts';
import { CNI, FILES } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly cni: CniName | undefined;
  readonly f: string[];
}

/** `generate-expectations`: what holds now, for `test` to hold it. */
export const GENERATE_EXPECTATIONS: Verb<Options> = {
  command: 'generate-expectations',
  describe: 'Write expectations of who reaches whom now, for test to start from',
  examples: [['generate-expectations -f manifests/ > expect.yaml', 'By workload, on the ports that are served']],
  options: (yargs) => yargs.options({ f: { ...FILES, demandOption: true }, cni: CNI }),
  run: async ({ f, cni }, terminal) => {
    const { expectationChunks } = await import('../expect/generate.ts');
    for (const chunk of expectationChunks(await loadCluster(f, terminal, cni))) await terminal.write(chunk);
    return 0;
  },
};
