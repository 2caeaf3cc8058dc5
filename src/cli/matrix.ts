import type { CniName } from '../cni/profile.ts';
import { LabError } from '../model/lab-error.ts';
import { podKey, workloadName, type Pod } from '../model/pod.ts';
import type { PortSpec } from '../model/question.ts';
import type { Matrix } from '../report/matrix.ts';
import { portOf } from './input.ts';
import { loadCluster } from './manifests.ts';
import { CNI, FILES, LAB, output, PORT } from './options.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly cni: CniName | undefined;
  readonly f: string[] | undefined;
  readonly lab: string | undefined;
  readonly probe: boolean;
  readonly timeout: number;
  readonly port: string;
  readonly o: 'text' | 'json' | 'csv' | 'svg' | 'html' | undefined;
}

const MAX_TIMEOUT_MS = 60_000;

/** `matrix`: who reaches whom, decided from manifests or by a lab, or found out by real connections. */
export const MATRIX: Verb<Options> = {
  command: 'matrix',
  describe: 'Show which pods reach which on a port',
  examples: [
    ['matrix -f policies/ --port 80', 'From manifests alone'],
    ['matrix -f policies/ --port 53/UDP -o csv', 'For a spreadsheet'],
    ['matrix -f policies/ --port 80 -o svg > matrix.svg', 'As a picture, of many pods by workload'],
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
        cni: { ...CNI, describe: `${CNI.describe}; a running lab has its own` },
        o: output('text', 'json', 'csv', 'svg', 'html'),
      })
      .conflicts('f', 'lab')
      .conflicts('lab', 'cni'),
  run: async ({ f, lab, probe, timeout, port, cni, o }, terminal) => {
    const spec = portOf(port);
    if (f !== undefined && probe) throw new LabError('usage', '--probe needs a running lab, not -f');
    if (!(timeout >= 1 && timeout <= MAX_TIMEOUT_MS)) {
      throw new LabError('usage', `--timeout is in milliseconds, from 1 to ${MAX_TIMEOUT_MS}`);
    }
    if (f !== undefined) {
      const { staticMatrix } = await import('./static-matrix.ts');
      const cluster = await loadCluster(f, terminal, cni);
      return print(staticMatrix(cluster, spec), { ...spec, pods: cluster.pods, format: o, terminal });
    }
    const { connectLab } = await import('../lab/connect.ts');
    const { predictedMatrix, probedMatrix } = await import('./lab-matrix.ts');
    const client = await connectLab(lab);
    const make = probe ? probedMatrix : predictedMatrix;
    const matrix = await make(client, { ...spec, timeoutMs: timeout }, (text) => {
      terminal.progress(text);
    });
    const { pods } = await client.status();
    return print(matrix, { ...spec, pods, format: o, terminal });
  },
};

/** How a matrix is printed. `pods` are at least those of the matrix. */
interface Printing extends PortSpec {
  readonly pods: readonly Pick<Pod, 'namespace' | 'name' | 'owner'>[];
  readonly format: Options['o'];
  readonly terminal: Terminal;
}

/** @returns the exit code: 1 if a probe was not as predicted. */
async function print(matrix: Matrix, { protocol, port, pods, format, terminal }: Printing): Promise<number> {
  const { differences, matrixCsv, matrixText } = await import('../report/matrix.ts');
  const title = `who reaches whom on ${port}/${protocol}`;
  switch (format) {
    case 'json':
      await terminal.print(JSON.stringify(matrix));
      break;
    case 'csv':
      await terminal.print(matrixCsv(matrix));
      break;
    case 'svg':
    case 'html': {
      const { matrixHtml, matrixSvg } = await import('../report/matrix-picture.ts');
      const workloads = new Map(pods.map((pod) => [podKey(pod), workloadName(pod)]));
      const options = { title, workloadOf: (pod: string) => workloads.get(pod) ?? pod };
      await terminal.print(format === 'svg' ? matrixSvg(matrix, options) : matrixHtml(matrix, options));
      break;
    }
    default:
      await terminal.print(matrixText(matrix, { title, color: terminal.color }));
  }
  return differences(matrix).length === 0 ? 0 : 1;
}
