import { CNI_NAMES, CNI_PROFILES, type CniName } from '../cni/profile.ts';
import type { Comparison } from '../diff/compare.ts';
import type { ChangeGroup } from '../diff/group.ts';
import type { Cluster } from '../model/cluster.ts';
import { LabError } from '../model/lab-error.ts';
import { suggestion } from '../model/nearest-name.ts';
import { loadCluster } from './manifests.ts';
import { FILES, output } from './options.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly f: string[];
  readonly cni: readonly CniName[];
  readonly o: 'text' | 'json' | undefined;
}

const WORDS = { keep: 'kept', strict: 'cut' } as const;

/** `compare`: where CNIs enforce the same policies differently. */
export const COMPARE: Verb<Options> = {
  command: 'compare',
  describe: 'Show which connections CNIs decide differently, exactly',
  examples: [
    ['compare -f manifests/ --cni calico,cilium', 'From the first to each other; exit code 1 if any differs'],
    ['compare -f manifests/ --cni reference,calico,cilium,weave,flannel', 'All that there are'],
  ],
  options: (yargs) =>
    yargs.options({
      f: { ...FILES, demandOption: true },
      cni: {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        coerce: namesIn,
        describe: `Two or more of ${CNI_NAMES.join(', ')}, with commas`,
      },
      o: output('text', 'json'),
    }),
  run: async ({ f, cni, o }, terminal) => {
    const compared = await compareAll(f, cni, terminal);
    if (o === 'json') await terminal.printJson(compared.map(jsonOf));
    else {
      const texts = await Promise.all(compared.map((each) => textOf(each, terminal.color)));
      await terminal.print(texts.join('\n\n'));
    }
    return compared.every(({ changes }) => changes.length === 0) ? 0 : 1;
  },
};

/** Manifests as one CNI enforces them. */
interface Enforced {
  readonly name: CniName;
  readonly remarks: readonly string[];
  readonly cluster: Cluster;
}

interface Compared {
  readonly from: Enforced;
  readonly to: Enforced;
  readonly comparison: Comparison;
  readonly changes: readonly ChangeGroup[];
}

/** The first CNI with each of the others. */
async function compareAll(
  paths: readonly string[],
  names: readonly CniName[],
  terminal: Terminal,
): Promise<readonly Compared[]> {
  const { Enforcer } = await import('../cni/enforcer.ts');
  const { compare } = await import('../diff/compare.ts');
  const { grouped } = await import('../diff/group.ts');
  const cluster = await loadCluster(paths, terminal);
  const enforced = names.map((name): Enforced => {
    const enforcer = new Enforcer(name);
    const own = enforcer.enforced(cluster);
    return { name, cluster: own, remarks: cluster.policies.flatMap((policy) => enforcer.remarks(policy)) };
  });
  const [from, ...others] = enforced;
  return others.flatMap((to) => {
    if (!from) return [];
    const comparison = compare({ before: from.cluster, after: to.cluster });
    return [{ from, to, comparison, changes: grouped(comparison.changes) }];
  });
}

function jsonOf({ from, to, changes }: Compared): object {
  const side = ({ name, remarks }: Enforced): object => {
    return { cni: name, established: CNI_PROFILES[name].established, remarks };
  };
  return { from: side(from), to: side(to), changes };
}

async function textOf({ from, to, comparison, changes }: Compared, color: boolean): Promise<string> {
  const { diffText } = await import('../diff/diff-text.ts');
  const lines = [
    ...from.remarks,
    ...to.remarks,
    ...establishedText(from, to),
    ...diffText(changes, comparison, color).split('\n'),
  ];
  return [`${from.name} -> ${to.name}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

function establishedText(from: Enforced, to: Enforced): string[] {
  const [before, after] = [CNI_PROFILES[from.name].established, CNI_PROFILES[to.name].established];
  return before === after ? [] : [`open connections that a new policy denies: ${WORDS[before]} -> ${WORDS[after]}`];
}

function namesIn(text: string | readonly string[]): readonly CniName[] {
  if (typeof text !== 'string') throw new LabError('usage', '--cni is given more than once: name all with commas');
  const names = text.split(',').map((word) => {
    const name = CNI_NAMES.find((each) => each === word.trim());
    if (!name) throw new LabError('usage', `no CNI "${word}"${suggestion(word, CNI_NAMES)}`);
    return name;
  });
  const distinct = [...new Set(names)];
  if (distinct.length < 2) throw new LabError('usage', 'compare two CNIs or more: --cni calico,cilium');
  return distinct;
}
