import { LabError } from '../model/lab-error.ts';
import type { PortSpec } from '../model/question.ts';
import type { Matrix } from '../report/matrix.ts';
import { portOf } from './input.ts';
import { loadCluster } from './manifests.ts';
import { FILES, LAB, output, PORT } from './options.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly f: string[] | undefined;
  readonly lab: string | undefined;
  readonly probe: boolean;
  readonly timeout: number;
  readonly port: string;
  readonly o: 'text' | 'json' | 'csv' | undefined;
}

const MAX_TIMEOUT_MS = 60_000;

/** `matrix`: who reaches whom, decided from manifests or by a lab, or found out by real connections. */
export const MATRIX: Verb<Options> = {
  command: 'matrix',
  describe: 'Show which pods reach which on a port',
  examples: [
    ['matrix -f policies/ --port 80', 'From manifests alone'],
    ['matrix -f policies/ --port 53/UDP -o csv', 'For a spreadsheet'],
    ['matrix --lab default-deny --probe --port 80/TCP', 'By real connections; exit code 1 if any is not as predicted'],
  ],
  options: (yargs) =>
    yargs
      .options({
        f: FILES,
        lab: LAB,
        probe: { type: 'boolean', default: false, describe: 'Connect for real, in a running lab' },
        timeout: { type: 'number', default: 1000, describe: 'How long a probe waits for an answer, in milliseconds' },
        port: { ...PORT, demandOption: true },
        o: output('text', 'json', 'csv'),
      })
      .conflicts('f', 'lab'),
  run: async ({ f, lab, probe, timeout, port, o }, terminal) => {
    const spec = portOf(port);
    if (f !== undefined && probe) throw new LabError('usage', '--probe needs a running lab, not -f');
    if (!(timeout >= 1 && timeout <= MAX_TIMEOUT_MS)) {
      throw new LabError('usage', `--timeout is in milliseconds, from 1 to ${MAX_TIMEOUT_MS}`);
    }
    if (f !== undefined) {
      const { staticMatrix } = await import('./static-matrix.ts');
      return print(staticMatrix(await loadCluster(f, terminal), spec), { ...spec, format: o, terminal });
    }
    const { connectLab } = await import('../lab/connect.ts');
    const { predictedMatrix, probedMatrix } = await import('./lab-matrix.ts');
    const client = await connectLab(lab);
    const make = probe ? probedMatrix : predictedMatrix;
    const matrix = await make(client, { ...spec, timeoutMs: timeout }, (text) => {
      terminal.progress(text);
    });
    return print(matrix, { ...spec, format: o, terminal });
  },
};

/** @returns the exit code: 1 if a probe was not as predicted. */
async function print(
  matrix: Matrix,
  { protocol, port, format, terminal }: PortSpec & { format: Options['o']; terminal: Terminal },
): Promise<number> {
  const { differences, matrixCsv, matrixText } = await import('../report/matrix.ts');
  switch (format) {
    case 'json':
      await terminal.print(JSON.stringify(matrix));
      break;
    case 'csv':
      await terminal.print(matrixCsv(matrix));
      break;
    default:
      await terminal.print(
        matrixText(matrix, { title: `who reaches whom on ${port}/${protocol}`, color: terminal.color }),
      );
  }
  return differences(matrix).length === 0 ? 0 : 1;
}
