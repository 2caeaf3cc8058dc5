import type { CniName } from '../cni/profile.ts';
import type { Cluster } from '../model/cluster.ts';
import { isEndpoint, workloadName } from '../model/pod.ts';
import { loadCluster } from './manifests.ts';
import { CNI, FILES, output } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly cni: CniName | undefined;
  readonly f: string[];
  readonly by: 'workload' | 'namespace' | undefined;
  readonly o: 'svg' | 'dot' | 'mermaid' | undefined;
}

const MOST_WORKLOADS = 60; // in one picture; more can hardly be read

/** `graph`: a picture of what policies allow. */
export const GRAPH: Verb<Options> = {
  command: 'graph',
  describe: 'Draw who may connect to whom, as far as policies have a say in it',
  examples: [
    ['graph -f manifests/ > shop.svg', 'Workloads in a box for each namespace'],
    ['graph -f manifests/ -o mermaid', 'For Markdown'],
    ['graph -f manifests/ --by namespace -o dot', 'For Graphviz, a shape a namespace'],
  ],
  options: (yargs) =>
    yargs.options({
      f: { ...FILES, demandOption: true },
      by: {
        choices: ['workload', 'namespace'] as const,
        describe: 'What has a shape of its own',
        defaultDescription: `workload, up to ${MOST_WORKLOADS} of them`,
      },
      cni: CNI,
      o: output('svg', 'dot', 'mermaid'),
    }),
  run: async ({ f, by, cni, o }, terminal) => {
    const { connectionGraph } = await import('../graph/connection-graph.ts');
    const { drawingOf } = await import('../graph/drawing.ts');
    const cluster = await loadCluster(f, terminal, cni);
    const isByNamespace = (by ?? (workloadCount(cluster) > MOST_WORKLOADS ? 'namespace' : 'workload')) === 'namespace';
    if (isByNamespace && by === undefined) {
      terminal.complain(`drawn by namespace: there are over ${MOST_WORKLOADS} workloads; --by workload draws them all`);
    }
    const drawing = drawingOf(
      connectionGraph(
        cluster,
        isByNamespace
          ? { nameOf: ({ namespace }) => namespace, namespaceOf: () => '' }
          : { nameOf: workloadName, namespaceOf: ({ namespace }) => namespace },
      ),
    );
    if (o === 'mermaid') {
      const { mermaidText } = await import('../graph/mermaid.ts');
      await terminal.print(mermaidText(drawing));
      return 0;
    }
    const { dotText } = await import('../graph/dot.ts');
    await terminal.print(o === 'dot' ? dotText(drawing) : await svgOf(dotText(drawing)));
    return 0;
  },
};

async function svgOf(dot: string): Promise<string> {
  const { instance } = await import('@viz-js/viz');
  return (await instance()).renderString(dot, { format: 'svg' });
}

function workloadCount({ pods }: Cluster): number {
  return new Set(pods.filter(isEndpoint).map(workloadName)).size;
}
