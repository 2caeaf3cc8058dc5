import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import type { BenchPlace } from '../bench/bench-text.ts';
import type { TableFigures } from '../bench/table-bench.ts';
import type { ScaleName } from '../bench/workload.ts';
import { packageVersion } from '../lab/version.ts';
import { LabError } from '../model/lab-error.ts';
import { output } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly what: 'table' | 'dataplane';
  readonly rounds: number;
  readonly scale: ScaleName[] | undefined;
  readonly seed: string | undefined;
  readonly o: 'text' | 'json' | 'svg' | undefined;
}

const SCALES: readonly ScaleName[] = ['S', 'M', 'L', 'XL'];
const SEED = 1;

/** `bench`: measures the decision table, or the ways to carry connections, against baselines of the same run. */
export const BENCH: Verb<Options> = {
  command: 'bench <what>',
  describe: 'Measure the decision table or the data plane, against baselines in the same run',
  examples: [
    ['bench table', 'All four scales, some minutes'],
    ['bench table --scale S M -o json', 'Two of them, as JSON'],
    ['bench table -o svg', 'A chart of cost against scale'],
    ['bench dataplane', 'No gate, conntrack, gate, relay and haproxy side by side; as root, with haproxy and wrk'],
  ],
  options: (yargs) =>
    yargs
      .positional('what', {
        choices: ['table', 'dataplane'] as const,
        demandOption: true,
        type: 'string',
        describe: 'What to measure',
      })
      .options({
        scale: { choices: SCALES, array: true, describe: 'Pods: S 100, M 1,000, L 10,000, XL 100,000' },
        rounds: { type: 'number', default: 5, describe: 'How often the data plane is measured' },
        seed: { type: 'string', describe: 'Seed of the workload' },
        o: output('text', 'json', 'svg'),
      }),
  run: async ({ what, scale = [...SCALES], seed, rounds, o }, terminal) => {
    if (what === 'dataplane') {
      const { measureDataPlane } = await import('../bench/dataplane-bench.ts');
      const { dataPlaneFiguresText } = await import('../bench/dataplane-text.ts');
      if (!(Number.isInteger(rounds) && rounds > 0)) throw new LabError('usage', '--rounds wants a number from 1');
      if (o === 'svg')
        throw new LabError('usage', '-o svg draws the chart of bench table; bench dataplane has text and json');
      const figures = await measureDataPlane(rounds, (text) => {
        terminal.progress(text);
      });
      if (o === 'json') await terminal.printJson({ ...place(), rounds, figures });
      else await terminal.print(dataPlaneFiguresText(figures, rounds, place()));
      return 0;
    }
    const { measureTable } = await import('../bench/table-bench.ts');
    const { tableFiguresText } = await import('../bench/table-text.ts');
    const all: TableFigures[] = [];
    for (const each of scale) {
      terminal.progress(`measuring ${each}`);
      all.push(await measureTable(each, Number(seed ?? SEED)));
    }
    const here = place();
    if (o === 'json') await terminal.printJson({ ...here, figures: all });
    else if (o === 'svg') await terminal.write((await import('../bench/cost-chart.ts')).costChart(all));
    else await terminal.print(tableFiguresText(all, here));
    return 0;
  },
};

function place(): BenchPlace {
  const [cpu] = cpus();
  return {
    machine: `${cpu?.model ?? 'unknown processor'}, ${cpus().length} cores`,
    node: process.versions.node,
    commit: commit(),
  };
}

/** From a clone its commit, else the package's version. */
function commit(): string {
  const root = new URL('../..', import.meta.url);
  try {
    const hash = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
    return `commit ${hash.trim()}`;
  } catch {
    return `version ${packageVersion()}`;
  }
}
