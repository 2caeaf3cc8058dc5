import { countField, field, listField, pairsField, textField } from './json-field.ts';

/** A column of `kubectl get`. AGE's cell is made where the time is known. */
export interface Column {
  readonly title: string;
  readonly cell: (object: unknown) => string;
  /** Shown by `-o wide` alone. */
  readonly wide?: boolean;
}

/** The columns of a kind; NAME and AGE for kinds that have no more. Source: pkg/printers/internalversion, kubernetes. */
export function columnsOf(kind: string): readonly Column[] {
  return COLUMNS.get(kind) ?? [NAME, AGE];
}

const NAME: Column = { title: 'NAME', cell: (object) => textField(object, ['metadata', 'name'], '') };
const AGE: Column = { title: 'AGE', cell: () => '<unknown>' };
const SELECTOR: Column = wide('SELECTOR', (object) => selectorOf(object, 'spec', 'selector'));

const TEMPLATE_COLUMNS: readonly Column[] = [
  wide('CONTAINERS', (object) => containersOf(object, 'name')),
  wide('IMAGES', (object) => containersOf(object, 'image')),
  SELECTOR,
];

const REPLICA_COLUMNS: readonly Column[] = [
  NAME,
  { title: 'DESIRED', cell: (object) => number(object, 'spec', 'replicas') },
  { title: 'CURRENT', cell: (object) => number(object, 'status', 'replicas') },
  { title: 'READY', cell: (object) => number(object, 'status', 'readyReplicas') },
  AGE,
  ...TEMPLATE_COLUMNS,
];

const COLUMNS: ReadonlyMap<string, readonly Column[]> = new Map<string, readonly Column[]>([
  ['Namespace', [NAME, { title: 'STATUS', cell: (object) => textField(object, ['status', 'phase'], 'Active') }, AGE]],
  [
    'Pod',
    [
      NAME,
      { title: 'READY', cell: podReady },
      { title: 'STATUS', cell: podStatus },
      { title: 'RESTARTS', cell: podRestarts },
      AGE,
      wide('IP', (object) => textField(object, ['status', 'podIP'])),
      wide('NODE', (object) => textField(object, ['spec', 'nodeName'])),
      wide('NOMINATED NODE', () => '<none>'),
      wide('READINESS GATES', () => '<none>'),
    ],
  ],
  [
    'NetworkPolicy',
    [NAME, { title: 'POD-SELECTOR', cell: (object) => selectorOf(object, 'spec', 'podSelector') }, AGE],
  ],
  [
    'Service',
    [
      NAME,
      { title: 'TYPE', cell: (object) => textField(object, ['spec', 'type'], 'ClusterIP') },
      { title: 'CLUSTER-IP', cell: (object) => textField(object, ['spec', 'clusterIP']) },
      { title: 'EXTERNAL-IP', cell: (object) => textField(object, ['spec', 'externalName']) },
      { title: 'PORT(S)', cell: servicePorts },
      AGE,
      wide('SELECTOR', (object) => pairsField(object, 'spec', 'selector') || '<none>'),
    ],
  ],
  [
    'Deployment',
    [
      NAME,
      { title: 'READY', cell: (object) => ready(object) },
      { title: 'UP-TO-DATE', cell: (object) => number(object, 'status', 'updatedReplicas') },
      { title: 'AVAILABLE', cell: (object) => number(object, 'status', 'availableReplicas') },
      AGE,
      ...TEMPLATE_COLUMNS,
    ],
  ],
  ['ReplicaSet', REPLICA_COLUMNS],
  ['ReplicationController', REPLICA_COLUMNS],
  ['StatefulSet', [NAME, { title: 'READY', cell: (object) => ready(object) }, AGE, ...TEMPLATE_COLUMNS.slice(0, 2)]],
  [
    'DaemonSet',
    [
      NAME,
      { title: 'DESIRED', cell: (object) => number(object, 'status', 'desiredNumberScheduled') },
      { title: 'CURRENT', cell: (object) => number(object, 'status', 'currentNumberScheduled') },
      { title: 'READY', cell: (object) => number(object, 'status', 'numberReady') },
      AGE,
      ...TEMPLATE_COLUMNS,
    ],
  ],
  ['Job', [NAME, { title: 'COMPLETIONS', cell: jobCompletions }, AGE, ...TEMPLATE_COLUMNS]],
  ['CronJob', [NAME, { title: 'SCHEDULE', cell: (object) => textField(object, ['spec', 'schedule']) }, AGE]],
]);

function wide(title: string, cell: Column['cell']): Column {
  return { title, cell, wide: true };
}

function number(object: unknown, ...path: readonly string[]): string {
  return String(countField(object, ...path));
}

function ready(object: unknown): string {
  const wanted = field(object, 'spec', 'replicas');
  return `${number(object, 'status', 'readyReplicas')}/${typeof wanted === 'number' ? wanted : 1}`;
}

function podReady(pod: unknown): string {
  const statuses = listField(pod, 'status', 'containerStatuses');
  const isReady = statuses.filter((status) => field(status, 'ready') === true);
  // Restartable init containers have a status and count.
  return `${isReady.length}/${Math.max(statuses.length, listField(pod, 'spec', 'containers').length)}`;
}

/** A container's reason to wait or to have ended where there is one, else the pod's phase. */
function podStatus(pod: unknown): string {
  if (field(pod, 'metadata', 'deletionTimestamp') !== undefined) return 'Terminating';
  const reasons = listField(pod, 'status', 'containerStatuses').map((status) =>
    textField(status, ['state', 'waiting', 'reason'], textField(status, ['state', 'terminated', 'reason'], '')),
  );
  const reason = reasons.find((text) => text !== '');
  return reason ?? textField(pod, ['status', 'reason'], textField(pod, ['status', 'phase'], 'Pending'));
}

function podRestarts(pod: unknown): string {
  const counts = listField(pod, 'status', 'containerStatuses').map((status) => countField(status, 'restartCount'));
  return String(counts.reduce((sum, count) => sum + count, 0));
}

function servicePorts(service: unknown): string {
  const ports = listField(service, 'spec', 'ports').map((port) => {
    const nodePort = countField(port, 'nodePort');
    const number = textField(port, ['port'], '');
    return `${number}${nodePort === 0 ? '' : `:${nodePort}`}/${textField(port, ['protocol'], 'TCP')}`;
  });
  return ports.join(',') || '<none>';
}

function jobCompletions(job: unknown): string {
  const wanted = field(job, 'spec', 'completions');
  return `${number(job, 'status', 'succeeded')}/${typeof wanted === 'number' ? wanted : 1}`;
}

function containersOf(object: unknown, name: string): string {
  const containers = listField(object, 'spec', 'template', 'spec', 'containers');
  return containers.map((container) => textField(container, [name], '')).join(',') || '<none>';
}

/** A label selector as kubectl prints it: `app=web,tier in (a,b),!legacy`. Source: FormatLabelSelector, apimachinery. */
function selectorOf(object: unknown, ...path: readonly string[]): string {
  const expressions = listField(object, ...path, 'matchExpressions').map((expression) => {
    const key = textField(expression, ['key'], '');
    const values = [...listField(expression, 'values')].map(String).sort().join(',');
    switch (field(expression, 'operator')) {
      case 'In':
        return `${key} in (${values})`;
      case 'NotIn':
        return `${key} notin (${values})`;
      case 'DoesNotExist':
        return `!${key}`;
      default:
        return key;
    }
  });
  const pairs = pairsField(object, ...path, 'matchLabels');
  return [...(pairs === '' ? [] : [pairs]), ...expressions].join(',') || '<none>';
}
