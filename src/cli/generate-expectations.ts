import { loadCluster } from './manifests.ts';
import { FILES } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly f: string[];
}

/** `generate-expectations`: what holds now, for `test` to hold it. */
export const GENERATE_EXPECTATIONS: Verb<Options> = {
  command: 'generate-expectations',
  describe: 'Write expectations of who reaches whom now, for test to start from',
  examples: [['generate-expectations -f manifests/ > expect.yaml', 'By workload, on the ports that are served']],
  options: (yargs) => yargs.options({ f: { ...FILES, demandOption: true } }),
  run: async ({ f }, terminal) => {
    const { generateExpectations } = await import('../expect/generate.ts');
    await terminal.write(generateExpectations(await loadCluster(f, terminal)));
    return 0;
  },
};
