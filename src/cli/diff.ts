import type { CniName } from '../cni/profile.ts';
import type { Change } from '../diff/pod-ends.ts';
import type { Issue } from '../manifest/issue.ts';
import type { Cluster } from '../model/cluster.ts';
import { LabError } from '../model/lab-error.ts';
import { readManifests, refuseIssues, warn } from './manifests.ts';
import { CNI, FILES, output, single } from './options.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly f: string[];
  readonly old: string[] | undefined;
  readonly lab: string | undefined;
  readonly prune: boolean;
  readonly cni: CniName | undefined;
  readonly o: 'text' | 'json' | undefined;
}

/** `diff`: which connections manifests would change. */
export const DIFF: Verb<Options> = {
  command: 'diff',
  describe: 'Show which connections manifests would newly deny or allow, exactly',
  examples: [
    ['diff -f deny.yaml --lab shop', 'What apply would do in a running lab; exit code 1 if anything changes'],
    ['diff -f deny.yaml --old manifests/', 'The same with manifests in place of a lab'],
    ['diff -f new/ --old old/ --prune', 'Two whole sets: what new/ does not have is gone'],
  ],
  options: (yargs) =>
    yargs
      .options({
        f: { ...FILES, demandOption: true, describe: 'What would be applied: files or folders, - for stdin' },
        old: {
          type: 'array',
          string: true,
          requiresArg: true,
          describe: 'What is there: files or folders, - for stdin',
        },
        lab: { ...single('lab'), describe: 'What is there: a running lab' },
        prune: { type: 'boolean', default: false, describe: 'What -f does not have is gone' },
        cni: { ...CNI, describe: `${CNI.describe}; a running lab has its own` },
        o: output('text', 'json'),
      })
      .conflicts('old', 'lab')
      .conflicts('lab', 'cni'),
  run: async ({ f, old, lab, prune, cni, o }, terminal) => {
    if (old?.includes('-') === true && f.includes('-')) throw new LabError('usage', 'stdin cannot be both old and new');
    if (prune && old === undefined) throw new LabError('usage', '--prune is for two sets of manifests: give --old');
    const change = await changeOf({ files: f, old, lab, prune, cni }, terminal);
    const { compare } = await import('../diff/compare.ts');
    const { grouped } = await import('../diff/group.ts');
    const { diffText } = await import('../diff/diff-text.ts');
    const comparison = compare(change);
    const changes = grouped(comparison.changes);
    const { added, removed } = comparison;
    if (o === 'json') await terminal.printJson({ changes, added, removed });
    else await terminal.print(diffText(changes, comparison, terminal.color));
    return changes.length === 0 ? 0 : 1;
  },
};

/** What the options say of before and after. */
type Asked = Pick<Options, 'old' | 'lab' | 'prune' | 'cni'> & { readonly files: readonly string[] };

/** The clusters before and after, with policies as the CNI enforces them. Pods that both have keep their addresses. */
async function changeOf({ files, old, lab, prune, cni = 'reference' }: Asked, terminal: Terminal): Promise<Change> {
  const { parseManifests } = await import('../manifest/manifest.ts');
  const { AddressPool } = await import('../manifest/address-pool.ts');
  const { buildCluster } = await import('../manifest/build-cluster.ts');
  const { Enforcer } = await import('../cni/enforcer.ts');
  const pool = new AddressPool();
  const read = parseManifests(await readManifests(files));
  if (old !== undefined) {
    const { Controllers } = await import('../manifest/controllers.ts');
    const there = parseManifests(await readManifests(old));
    const before = buildCluster(there.objects, pool);
    const left = prune ? [] : new Controllers(there.objects).without(read.objects);
    const after = buildCluster([...left, ...read.objects], pool);
    await accept([there, before, read, after], [read, after], terminal);
    const enforcer = new Enforcer(cni);
    return { before: enforcer.enforced(before.cluster), after: enforcer.enforced(after.cluster) };
  }
  const { labObjects } = await import('./lab-objects.ts');
  const { connectLab } = await import('../lab/connect.ts');
  const client = await connectLab(lab);
  const there = await labObjects(client);
  const enforcer = new Enforcer((await client.status()).options.cni);
  there.reserve(pool);
  const before = buildCluster(there.objects, pool);
  const after = buildCluster([...there.without(read.objects), ...read.objects], pool);
  await accept([before, read, after], [read, after], terminal);
  const enforced = (cluster: Cluster): Cluster => enforcer.enforced(there.owned(cluster));
  return { before: enforced(before.cluster), after: enforced(after.cluster) };
}

/** What reading or building found wrong. */
interface Checked {
  readonly issues: readonly Issue[];
  readonly warnings: readonly string[];
}

async function accept(all: readonly Checked[], warned: readonly Checked[], terminal: Terminal): Promise<void> {
  warn(
    warned.flatMap(({ warnings }) => warnings),
    terminal,
  );
  const issues = all.flatMap((each) => each.issues);
  await refuseIssues([...new Map(issues.map((issue) => [JSON.stringify(issue), issue])).values()]);
}
