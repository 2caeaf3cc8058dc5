import { Document, isMap, isScalar, isSeq, Scalar, visit, type Node, type YAMLMap } from 'yaml';
import { byName, projectName } from './service-names.ts';
import { LABELS } from './labels.ts';
import type { ComposeService, PlannedService, Template } from './workload-service.ts';

/** What a compose file is written from. */
export interface ComposeDocument {
  readonly lab: string;
  readonly templates: Readonly<Record<Template, { readonly comment: string; readonly service: ComposeService }>>;
  readonly services: readonly PlannedService[];
  /** Contents of files by their names. */
  readonly configs: Readonly<Record<string, string>>;
  readonly networks: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, ComposeService>>;
}

const WIDTH = 110; // of a line; longer lists get a line an item

/** The compose file as people read it: what services share is written once, and comments say what they are. */
export function composeText({ lab, templates, services, configs, networks, volumes }: ComposeDocument): string {
  const used = Object.entries(templates).filter(([name]) => services.some(({ template }) => template === name));
  const content = {
    name: projectName(lab),
    ...Object.fromEntries(used.map(([name, { service }]) => [`x-${name}`, { ...service, labels: { [LABELS.lab]: lab } }])),
    services: byName(services.map((each) => [each.name, labelled(each, lab)])),
    networks,
    volumes,
    configs: Object.fromEntries(Object.entries(configs).map(([name, content]) => [name, { content }])),
  };
  const document = new Document(content, { aliasDuplicateObjects: false, version: '1.1' });
  visit(document, { Scalar: quoteOctal });
  document.commentBefore = heading(lab);
  for (const [name, { comment }] of used) {
    const node = mapAt(document, [`x-${name}`]);
    node.anchor = name;
    setOff(document.contents, `x-${name}`, comment);
    mapAt(document, [`x-${name}`, 'labels']).anchor = `${name}-labels`;
  }
  for (const each of services) writeService(document, each);
  for (const name of ['services', 'networks', 'volumes', 'configs']) setOff(document.contents, name, '');
  setOff(document.get('networks'), 'pods', 'The network of the pods; its gateway is their node. Their proxies leave them no route out of it. (It cannot be an\ninternal one of Docker: that drops what comes from or goes to addresses of hosts outside the cluster.)');
  setOff(document.get('networks'), 'host', 'From here the control plane publishes its API on 127.0.0.1.');
  for (const name of Object.keys(configs)) literal(document, ['configs', name, 'content']);
  flowShortLists(document.contents);
  return document.toString({ lineWidth: WIDTH, flowCollectionPadding: false });
}

/** Templates bring the lab's label with them; a service without one has it itself. */
function labelled({ template, service }: PlannedService, lab: string): ComposeService {
  if (template !== undefined) return service;
  return { ...service, labels: { [LABELS.lab]: lab, ...(service.labels as ComposeService) } };
}

/** Compose reads YAML 1.1, in which texts such as 2024-01-01, 1_000 and yes are none unless they are quoted, and 0o17 of YAML 1.2. */
function quoteOctal(_: unknown, node: Scalar): void {
  if (typeof node.value === 'string' && /^[-+]?0o/i.test(node.value)) node.type = Scalar.QUOTE_DOUBLE;
}

function heading(lab: string): string {
  const file = `${lab}.yaml`;
  return [
    ` The lab ${lab} in containers. Written by "netpol-lab compose"; needs Docker with Compose 2.23 and the image netpol-lab`,
    ' ("docker build -t netpol-lab ." in a clone of netpol-lab).',
    `   docker compose -f ${file} up --wait`,
    `   docker compose -f ${file} exec POD COMMAND`,
    `   docker compose -f ${file} down --volumes`,
  ].join('\n');
}

function writeService(document: Document, { name, template, comment }: PlannedService): void {
  if (comment !== '') setOff(document.get('services'), name, comment);
  if (template === undefined) return;
  const service = mapAt(document, ['services', name]);
  const shared = mapAt(document, [`x-${template}`]);
  service.items.unshift(document.createPair('<<', document.createAlias(shared)));
  const labels = service.get('labels', true);
  if (!isMap(labels)) return;
  labels.items.unshift(document.createPair('<<', document.createAlias(mapAt(document, [`x-${template}`, 'labels']))));
}

function mapAt(document: Document, path: readonly string[]): YAMLMap {
  const node = document.getIn(path, true);
  if (!isMap(node)) throw new TypeError(`${path.join('.')} is no map`);
  return node;
}

/** Sets a key of a map off by an empty line, and says something about it. */
function setOff(map: unknown, key: string, comment: string): void {
  const items = isMap(map) ? map.items : [];
  const index = items.findIndex((item) => isScalar(item.key) && item.key.value === key);
  const scalar = items[index]?.key;
  if (!isScalar(scalar)) return;
  scalar.spaceBefore = index > 0;
  if (comment !== '') scalar.commentBefore = comment.replaceAll(/^/gm, ' ');
}

function literal(document: Document, path: readonly string[]): void {
  const node = document.getIn(path, true);
  if (isScalar(node)) node.type = Scalar.BLOCK_LITERAL;
}

/** Writes lists and maps of plain values on one line. */
function flowShortLists(node: Node | null): void {
  if (isSeq(node)) {
    node.flow = node.items.every((item) => isScalar(item));
    if (!node.flow) for (const item of node.items) flowMap(item);
  } else if (isMap(node)) {
    for (const { value } of node.items) flowShortLists(value as Node | null);
  }
}

function flowMap(item: unknown): void {
  if (isMap(item)) item.flow = true;
}
