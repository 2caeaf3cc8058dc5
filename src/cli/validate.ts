import type { Issue } from '../manifest/issue.ts';
import type { ManifestObject } from '../manifest/manifest-object.ts';
import { build, readManifests, warn } from './manifests.ts';
import { FILES, output } from './options.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly f: string[];
  readonly o: 'text' | 'json' | undefined;
}

/** What `validate -o json` says of one object, or of a document that is none. */
interface ObjectReport {
  readonly file: string;
  readonly line: number;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly errors: readonly { readonly field: string; readonly type: string; readonly message: string }[];
}

/** `validate`: whether the API server would take the manifests. */
export const VALIDATE: Verb<Options> = {
  command: 'validate',
  describe: 'Check manifests as the API server would',
  examples: [
    ['validate -f policies/', 'Every manifest in a folder'],
    ['validate -f a.yaml b.yaml -o json', 'A list with an entry for each object'],
    ['validate -f -', 'What comes by stdin'],
  ],
  options: (yargs) => yargs.options({ f: { ...FILES, demandOption: true }, o: output('text', 'json') }),
  run: async ({ f, o }, terminal) => {
    const { objects, issues } = await findIssues(f, terminal);
    if (o === 'json') await terminal.printJson(reports(objects, issues));
    else await printText(objects, { issues, terminal });
    return issues.length === 0 ? 0 : 2;
  },
};

/** Every object on its own, those too that a later one replaces, then what is wrong with them together. */
async function findIssues(
  paths: readonly string[],
  terminal: Terminal,
): Promise<{ readonly objects: readonly ManifestObject[]; readonly issues: readonly Issue[] }> {
  const { validateObject } = await import('../manifest/validate.ts');
  const { objects, issues, warnings } = await build(await readManifests(paths));
  warn(warnings, terminal);
  const found = new Map<string, Issue>();
  for (const issue of [...objects.flatMap(validateObject), ...issues]) {
    found.set(JSON.stringify(issue), issue);
  }
  return { objects, issues: [...found.values()] };
}

/** One entry an object, then one for each issue that belongs to none. */
function reports(objects: readonly ManifestObject[], issues: readonly Issue[]): ObjectReport[] {
  const left = new Set(issues);
  const ofObjects = objects.map((object): ObjectReport => {
    const own = [...left].filter((issue) => isOf(issue, object));
    for (const issue of own) left.delete(issue);
    const { kind, namespace, name } = object;
    return { ...object.source, kind, namespace, name, errors: own.map(errorOf) };
  });
  const others = [...left].map((issue): ObjectReport => {
    const { file, line, kind, namespace, name } = issue;
    return { file, line, kind, namespace, name, errors: [errorOf(issue)] };
  });
  return [...ofObjects, ...others];
}

function isOf(issue: Issue, { source, kind, namespace, name }: ManifestObject): boolean {
  return issue.file === source.file && issue.kind === kind && issue.namespace === namespace && issue.name === name;
}

function errorOf({ field, type, message }: Issue): ObjectReport['errors'][number] {
  return { field, type, message };
}

async function printText(
  objects: readonly ManifestObject[],
  { issues, terminal }: { issues: readonly Issue[]; terminal: Terminal },
): Promise<void> {
  const { issueText } = await import('../manifest/issue.ts');
  const { printable } = await import('../report/printable.ts');
  for (const issue of issues) await terminal.print(printable(issueText(issue)));
  const read = objects.length === 1 ? '1 object' : `${objects.length} objects`;
  const wrong = issues.length === 1 ? '1 issue' : `${issues.length || 'no'} issues`;
  await terminal.print(`${read}, ${wrong}`);
}
