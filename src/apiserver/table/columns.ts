import type { JsonObject } from '../../manifest/json.ts';
import { at, listAt, nameOf, numberAt, textAt, textMapAt } from '../api-object.ts';
import { ageText } from '../../model/age.ts';
import { podCells } from './pod-cells.ts';
import { endpointsText, labelSelectorText, pairsText, sliceEndpoints, slicePorts } from './cell-text.ts';
import { serviceAddress, serviceExternal, servicePorts } from './service-cells.ts';

/** A column of a table. `wide` ones are shown by `-o wide` alone. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer';
  readonly wide: boolean;
  readonly cell: (object: JsonObject, now: Date) => string | number;
}

/** The columns of a kind, as kubectl shows them; name and age for kinds that have no more. Source: pkg/printers/internalversion. */
export function columnsOf(kind: string): readonly Column[] {
  return COLUMNS.get(kind) ?? [NAME, AGE];
}

type Cell = Column['cell'];

function column(name: string, cell: Cell, type: Column['type'] = 'string'): Column {
  return { name, type, wide: false, cell };
}

function wide(name: string, cell: Cell): Column {
  return { name, type: 'string', wide: true, cell };
}

function count(name: string, ...path: readonly string[]): Column {
  return column(name, (object) => numberAt(object, ...path), 'integer');
}

function text(...path: readonly string[]): Cell {
  return (object) => textAt(object, ...path) || '<none>';
}

function since(time: string, now: Date): string {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? '<unknown>' : ageText(now.getTime() - ms);
}

const NAME = column('Name', nameOf);
const AGE = column('Age', (object, now) => since(textAt(object, 'metadata', 'creationTimestamp'), now));
const CONTAINERS = [wide('Containers', containersOf('name')), wide('Images', containersOf('image'))];
const SELECTOR = wide('Selector', (object) => labelSelectorText(at(object, 'spec', 'selector')));
const TEMPLATE = [...CONTAINERS, SELECTOR];

const READY = column('Ready', (object) => {
  const wanted = at(object, 'spec', 'replicas');
  return `${numberAt(object, 'status', 'readyReplicas')}/${typeof wanted === 'number' ? wanted : 1}`;
});

const REPLICAS = [
  count('Desired', 'spec', 'replicas'),
  count('Current', 'status', 'replicas'),
  count('Ready', 'status', 'readyReplicas'),
];

const POLICY = [NAME, column('Pod-Selector', (object) => labelSelectorText(at(object, 'spec', 'podSelector'))), AGE];

const COLUMNS: ReadonlyMap<string, readonly Column[]> = new Map<string, readonly Column[]>([
  ['ConfigMap', [NAME, column('Data', (object) => entries(object, 'data') + entries(object, 'binaryData')), AGE]],
  ['CronJob', cronJobColumns()],
  ['DaemonSet', daemonSetColumns()],
  [
    'Deployment',
    [
      NAME,
      READY,
      count('Up-to-date', 'status', 'updatedReplicas'),
      count('Available', 'status', 'availableReplicas'),
      AGE,
      ...TEMPLATE,
    ],
  ],
  ['Endpoints', [NAME, column('Endpoints', endpointsText), AGE]],
  [
    'EndpointSlice',
    [
      NAME,
      column('AddressType', text('addressType')),
      column('Ports', slicePorts),
      column('Endpoints', sliceEndpoints),
      AGE,
    ],
  ],
  ['Event', eventColumns()],
  [
    'Job',
    [
      NAME,
      column('Status', jobStatus),
      column(
        'Completions',
        (job) => `${numberAt(job, 'status', 'succeeded')}/${numberAt(job, 'spec', 'completions') || 1}`,
      ),
      column('Duration', jobDuration),
      AGE,
      ...TEMPLATE,
    ],
  ],
  ['Namespace', [NAME, column('Status', text('status', 'phase')), AGE]],
  ['NetworkPolicy', POLICY],
  ['StagedNetworkPolicy', POLICY],
  ['Node', nodeColumns()],
  ['Pod', podColumns()],
  ['ReplicaSet', [NAME, ...REPLICAS, AGE, ...TEMPLATE]],
  [
    'ReplicationController',
    [NAME, ...REPLICAS, AGE, ...CONTAINERS, wide('Selector', (rc) => pairsText(textMapAt(rc, 'spec', 'selector')))],
  ],
  ['Scale', [NAME, count('Desired', 'spec', 'replicas'), count('Available', 'status', 'replicas'), AGE]],
  [
    'Service',
    [
      NAME,
      column('Type', text('spec', 'type')),
      column('Cluster-IP', serviceAddress),
      column('External-IP', serviceExternal),
      column('Port(s)', servicePorts),
      AGE,
      wide('Selector', (service) => pairsText(textMapAt(service, 'spec', 'selector'))),
    ],
  ],
  ['ServiceAccount', [NAME, column('Secrets', (object) => listAt(object, 'secrets').length, 'integer'), AGE]],
  ['StatefulSet', [NAME, READY, AGE, ...CONTAINERS]],
]);

function podColumns(): Column[] {
  return [
    NAME,
    column('Ready', (pod) => podCells(pod).ready),
    column('Status', (pod) => podCells(pod).status),
    column('Restarts', (pod) => podCells(pod).restarts),
    AGE,
    wide('IP', text('status', 'podIP')),
    wide('Node', text('spec', 'nodeName')),
    wide('Nominated Node', text('status', 'nominatedNodeName')),
    wide('Readiness Gates', () => '<none>'),
  ];
}

function daemonSetColumns(): Column[] {
  return [
    NAME,
    count('Desired', 'status', 'desiredNumberScheduled'),
    count('Current', 'status', 'currentNumberScheduled'),
    count('Ready', 'status', 'numberReady'),
    count('Up-to-date', 'status', 'updatedNumberScheduled'),
    count('Available', 'status', 'numberAvailable'),
    column('Node Selector', (object) => pairsText(textMapAt(object, 'spec', 'template', 'spec', 'nodeSelector'))),
    AGE,
    ...TEMPLATE,
  ];
}

function cronJobColumns(): Column[] {
  const containers = (field: string): Cell => containersOf(field, 'spec', 'jobTemplate', 'spec', 'template');
  return [
    NAME,
    column('Schedule', text('spec', 'schedule')),
    column('Timezone', text('spec', 'timeZone')),
    column('Suspend', (object) => (at(object, 'spec', 'suspend') === true ? 'True' : 'False')),
    column('Active', (object) => listAt(object, 'status', 'active').length, 'integer'),
    column('Last Schedule', (object, now) => {
      const last = textAt(object, 'status', 'lastScheduleTime');
      return last === '' ? '<none>' : since(last, now);
    }),
    AGE,
    wide('Containers', containers('name')),
    wide('Images', containers('image')),
  ];
}

function nodeColumns(): Column[] {
  const address =
    (type: string): Cell =>
    (node) => {
      const found = listAt(node, 'status', 'addresses').find((one) => textAt(one, 'type') === type);
      return textAt(found, 'address') || '<none>';
    };
  return [
    NAME,
    column('Status', (node) => {
      const ready = listAt(node, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Ready');
      return textAt(ready, 'status') === 'True' ? 'Ready' : ready === undefined ? 'Unknown' : 'NotReady';
    }),
    column('Roles', nodeRoles),
    AGE,
    column('Version', text('status', 'nodeInfo', 'kubeletVersion')),
    wide('Internal-IP', address('InternalIP')),
    wide('External-IP', address('ExternalIP')),
    wide('OS-Image', text('status', 'nodeInfo', 'osImage')),
    wide('Kernel-Version', text('status', 'nodeInfo', 'kernelVersion')),
    wide('Container-Runtime', text('status', 'nodeInfo', 'containerRuntimeVersion')),
  ];
}

function eventColumns(): Column[] {
  const involved = (event: JsonObject): string =>
    `${textAt(event, 'involvedObject', 'kind').toLowerCase()}/${textAt(event, 'involvedObject', 'name')}`;
  const last = (event: JsonObject): string =>
    textAt(event, 'series', 'lastObservedTime') || textAt(event, 'lastTimestamp') || textAt(event, 'eventTime');
  return [
    column('Last Seen', (event, now) => since(last(event), now)),
    column('Type', text('type')),
    column('Reason', text('reason')),
    column('Object', involved),
    wide('Subobject', (event) => textAt(event, 'involvedObject', 'fieldPath')),
    wide('Source', (event) => textAt(event, 'source', 'component') || textAt(event, 'reportingComponent')),
    column('Message', (event) => textAt(event, 'message').trim()),
    wide('First Seen', (event, now) => since(textAt(event, 'firstTimestamp') || textAt(event, 'eventTime'), now)),
    wide('Count', (event) => String(numberAt(event, 'count') || 1)),
    wide('Name', nameOf),
  ];
}

function entries(object: JsonObject, field: string): number {
  return textMapAt(object, field).size;
}

function containersOf(field: string, ...template: readonly string[]): Cell {
  const path = template.length > 0 ? template : ['spec', 'template'];
  return (object) =>
    listAt(object, ...path, 'spec', 'containers')
      .map((container) => textAt(container, field))
      .join(',') || '<none>';
}

function nodeRoles(node: JsonObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = [...textMapAt(node, 'metadata', 'labels').keys()].filter((key) => key.startsWith(prefix));
  return roles.map((key) => key.slice(prefix.length)).join(',') || '<none>';
}

function jobStatus(job: JsonObject): string {
  const holds = (type: string): boolean =>
    listAt(job, 'status', 'conditions').some((one) => textAt(one, 'type') === type && textAt(one, 'status') === 'True');
  return ['Complete', 'Failed', 'Suspended'].find(holds) ?? 'Running';
}

function jobDuration(job: JsonObject, now: Date): string {
  const start = Date.parse(textAt(job, 'status', 'startTime'));
  const end = Date.parse(textAt(job, 'status', 'completionTime'));
  return Number.isNaN(start) ? '' : ageText((Number.isNaN(end) ? now.getTime() : end) - start);
}
