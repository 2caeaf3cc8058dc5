import { textMapAt } from '../apiserver/api-object.ts';
import type { LabClient, LabObject } from '../lab/lab-client.ts';
import { LabError } from '../model/lab-error.ts';
import type { KindNames } from '../model/kind-names.ts';
import { suggestion } from '../model/nearest-name.ts';
import { selects, type Selector } from '../model/selector.ts';
import { kindOf } from './input.ts';
import { LAB, NAMESPACE, output, single } from './options.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly kind: string;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly A: boolean;
  readonly l: string | undefined;
  readonly lab: string | undefined;
  readonly o: Format | undefined;
}

const STAGED = 'StagedNetworkPolicy';

type Format = 'text' | 'wide' | 'json' | 'yaml' | 'name';

/** `get`: objects of a running lab, shown as kubectl shows them. */
export const GET: Verb<Options> = {
  command: 'get <kind> [name]',
  describe: 'Show objects of a running lab',
  examples: [
    ['get pods -A -o wide', 'Every pod with its address'],
    ['get netpol deny-all -n shop -o yaml', 'A policy with its defaults filled in'],
    ["get pods -l 'app=web,tier in (a,b),!legacy'", 'Pods by their labels'],
  ],
  options: (yargs) =>
    yargs
      .positional('kind', { type: 'string', demandOption: true, describe: 'Kind, in any of the forms of kubectl' })
      .positional('name', { type: 'string', describe: 'Name of one object' })
      .options({
        namespace: NAMESPACE,
        A: { type: 'boolean', alias: 'all-namespaces', default: false, describe: 'Objects of every namespace' },
        l: { ...single('selector'), alias: 'selector', describe: 'Only objects with such labels' },
        lab: LAB,
        o: output<Format>('text', 'wide', 'json', 'yaml', 'name'),
      })
      .conflicts('name', 'l'),
  run: async ({ kind, name, namespace = 'default', A, l, lab, o }, terminal) => {
    if (A && name !== undefined) throw new LabError('usage', 'a name needs one namespace: -n NAMESPACE instead of -A');
    const kinds = kindOf(kind);
    const { parseLabelSelector } = await import('./label-selector.ts');
    const { connectLab } = await import('../lab/connect.ts');
    const selector = parseLabelSelector(l ?? '');
    const client = await connectLab(lab);
    const all = await objectsOf(client, kinds);
    const here = A || !kinds.namespaced ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
    const objects = name === undefined ? here.filter(hasLabels(selector)) : [named(here, name, kinds)];
    const withNamespace = A && kinds.namespaced;
    await print(objects, { kinds, format: o ?? 'text', one: name !== undefined, withNamespace, terminal });
    if (objects.length === 0) terminal.complain(noneText(withNamespace || !kinds.namespaced ? undefined : namespace));
    return 0;
  },
};

/** Of policies those that are staged as well: to the user they are policies that are not enforced. */
async function objectsOf(client: LabClient, { kind }: KindNames): Promise<readonly LabObject[]> {
  const own = await client.objects(kind);
  return kind === 'NetworkPolicy' ? [...own, ...(await client.objects(STAGED))] : own;
}

function hasLabels(selector: Selector): (object: LabObject) => boolean {
  return (object) => selects(selector, textMapAt(object, 'metadata', 'labels'));
}

function named(objects: readonly LabObject[], name: string, { plural }: KindNames): LabObject {
  const object = objects.find(({ metadata }) => metadata.name === name);
  if (object) return object;
  const names = objects.map(({ metadata }) => metadata.name);
  throw new LabError('usage', `${plural} "${name}" not found${suggestion(name, names)}`);
}

async function print(
  objects: readonly LabObject[],
  options: { kinds: KindNames; format: Format; one: boolean; withNamespace: boolean; terminal: Terminal },
): Promise<void> {
  const { kinds, format, terminal } = options;
  const [first] = objects;
  const list = { apiVersion: 'v1', kind: 'List', items: objects, metadata: { resourceVersion: '' } };
  const document = options.one ? first : list;
  switch (format) {
    case 'json':
      await terminal.printJson(document);
      break;
    case 'yaml': {
      const { stringify } = await import('yaml');
      // YAML 1.1, as kubectl reads it: texts such as "yes" stay quoted.
      await terminal.write(stringify(document, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }));
      break;
    }
    case 'name':
      for (const { kind, metadata } of objects) {
        const resource = kind === STAGED ? 'stagednetworkpolicy.netpol-lab.dev' : kinds.resource;
        await terminal.print(`${resource}/${metadata.name}`);
      }
      break;
    default: {
      if (objects.length === 0) return;
      const { objectTable } = await import('./object-table.ts');
      const { withNamespace } = options;
      await terminal.print(
        objectTable(kinds.kind, objects.map(marked), { wide: format === 'wide', withNamespace, now: new Date() }),
      );
    }
  }
}

/** Staged policies stand out among those that are enforced. */
function marked(object: LabObject): LabObject {
  if (object.kind !== STAGED) return object;
  return { ...object, metadata: { ...object.metadata, name: `${object.metadata.name} (staged)` } };
}

function noneText(namespace: string | undefined): string {
  return namespace === undefined ? 'No resources found' : `No resources found in ${namespace} namespace.`;
}
