import { SCHEMAS } from '../manifest/known-kinds.ts';
import type { Fields, StructSchema } from '../manifest/schema.ts';
import { CONFIG_MAP, ENDPOINTS, ENDPOINT_SLICE, EVENT, NODE, SERVICE_ACCOUNT } from './cluster-schemas.ts';

/** What can be done with a resource; a subresource has a kind of its own. */
export interface Subresource {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** A kind that is served, and how. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly Subresource[];
  /** What users write does not touch `status`: it has a path of its own. */
  readonly hasStatus: boolean;
  /** `metadata.generation` counts the changes of what users ask for. */
  readonly hasGeneration: boolean;
  readonly schema: StructSchema<Fields>;
}

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const CHANGE_VERBS = ['get', 'patch', 'update'];

const STREAM_KINDS: ReadonlyMap<string, string> = new Map([
  ['attach', 'PodAttachOptions'],
  ['exec', 'PodExecOptions'],
  ['portforward', 'PodPortForwardOptions'],
]);

interface Given {
  readonly kind: string;
  readonly plural: string;
  readonly schema: StructSchema<Fields>;
  readonly apiVersion?: string;
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly inAll?: boolean;
  readonly clusterWide?: boolean;
  readonly status?: boolean;
  readonly generation?: boolean;
  readonly scale?: boolean;
  readonly streams?: readonly string[];
}

/** Everything that is served as objects, in the order in which discovery lists it. */
export const RESOURCES: readonly Resource[] = [
  resource({ kind: 'ConfigMap', plural: 'configmaps', schema: CONFIG_MAP, shortNames: ['cm'] }),
  resource({ kind: 'Endpoints', plural: 'endpoints', singular: 'endpoints', schema: ENDPOINTS, shortNames: ['ep'] }),
  resource({ kind: 'Event', plural: 'events', schema: EVENT, shortNames: ['ev'] }),
  resource({
    kind: 'Namespace',
    plural: 'namespaces',
    schema: SCHEMAS.Namespace,
    shortNames: ['ns'],
    clusterWide: true,
    status: true,
  }),
  resource({ kind: 'Node', plural: 'nodes', schema: NODE, shortNames: ['no'], clusterWide: true, status: true }),
  resource({
    kind: 'Pod',
    plural: 'pods',
    schema: SCHEMAS.Pod,
    shortNames: ['po'],
    inAll: true,
    status: true,
    streams: ['attach', 'exec', 'log', 'portforward'],
  }),
  resource({
    kind: 'ReplicationController',
    plural: 'replicationcontrollers',
    schema: SCHEMAS.ReplicationController,
    shortNames: ['rc'],
    inAll: true,
    status: true,
    generation: true,
    scale: true,
  }),
  resource({ kind: 'ServiceAccount', plural: 'serviceaccounts', schema: SERVICE_ACCOUNT, shortNames: ['sa'] }),
  resource({
    kind: 'Service',
    plural: 'services',
    schema: SCHEMAS.Service,
    shortNames: ['svc'],
    inAll: true,
    status: true,
  }),
  workload({ kind: 'DaemonSet', plural: 'daemonsets', schema: SCHEMAS.DaemonSet, shortNames: ['ds'] }),
  workload({
    kind: 'Deployment',
    plural: 'deployments',
    schema: SCHEMAS.Deployment,
    shortNames: ['deploy'],
    scale: true,
  }),
  workload({ kind: 'ReplicaSet', plural: 'replicasets', schema: SCHEMAS.ReplicaSet, shortNames: ['rs'], scale: true }),
  workload({
    kind: 'StatefulSet',
    plural: 'statefulsets',
    schema: SCHEMAS.StatefulSet,
    shortNames: ['sts'],
    scale: true,
  }),
  workload({
    kind: 'CronJob',
    plural: 'cronjobs',
    schema: SCHEMAS.CronJob,
    apiVersion: 'batch/v1',
    shortNames: ['cj'],
  }),
  workload({ kind: 'Job', plural: 'jobs', schema: SCHEMAS.Job, apiVersion: 'batch/v1' }),
  resource({
    kind: 'EndpointSlice',
    plural: 'endpointslices',
    schema: ENDPOINT_SLICE,
    apiVersion: 'discovery.k8s.io/v1',
    generation: true,
  }),
  resource({
    kind: 'NetworkPolicy',
    plural: 'networkpolicies',
    schema: SCHEMAS.NetworkPolicy,
    apiVersion: 'networking.k8s.io/v1',
    shortNames: ['netpol'],
    generation: true,
  }),
  // Of netpol-lab's own: a NetworkPolicy that is looked at and not enforced.
  resource({
    kind: 'StagedNetworkPolicy',
    plural: 'stagednetworkpolicies',
    schema: SCHEMAS.NetworkPolicy,
    apiVersion: 'netpol-lab.dev/v1',
    shortNames: ['snp'],
    generation: true,
  }),
];

const BY_PATH = new Map(RESOURCES.map((one) => [`${one.group}/${one.version}/${one.plural}`, one]));
const BY_KIND = new Map(RESOURCES.map((one) => [`${apiVersionOf(one)}/${one.kind}`, one]));

/** The resource of a path. @returns undefined if it is not served. */
export function resourceAt(group: string, version: string, plural: string): Resource | undefined {
  return BY_PATH.get(`${group}/${version}/${plural}`);
}

/** The resource of a kind. @returns undefined if it is not served. */
export function resourceOfKind(apiVersion: string, kind: string): Resource | undefined {
  return BY_KIND.get(`${apiVersion}/${kind}`);
}

/** The resource of a kind that is served. Throws if it is not. */
export function servedKind(apiVersion: string, kind: string): Resource {
  const found = resourceOfKind(apiVersion, kind);
  if (!found) throw new TypeError(`${apiVersion} ${kind} is not served`);
  return found;
}

/** `apps/v1`; `v1` for the core group. */
export function apiVersionOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? version : `${group}/${version}`;
}

function workload(given: Given): Resource {
  return resource({ apiVersion: 'apps/v1', inAll: true, status: true, generation: true, ...given });
}

function resource(given: Given): Resource {
  const { kind, plural, apiVersion = 'v1', schema } = given;
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const own = { group, version, kind };
  return {
    ...own,
    plural,
    singular: given.singular ?? kind.toLowerCase(),
    shortNames: given.shortNames ?? [],
    categories: given.inAll === true ? ['all'] : [],
    namespaced: given.clusterWide !== true,
    verbs: ALL_VERBS,
    subresources: [
      ...(given.streams ?? []).map((name) => streamOf(name)),
      ...(given.scale === true
        ? [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: CHANGE_VERBS }]
        : []),
      ...(given.status === true ? [{ name: 'status', ...own, verbs: CHANGE_VERBS }] : []),
    ],
    hasStatus: given.status ?? false,
    hasGeneration: given.generation ?? false,
    schema,
  };
}

function streamOf(name: string): Subresource {
  const kind = STREAM_KINDS.get(name);
  return {
    name,
    group: '',
    version: 'v1',
    kind: kind ?? 'Pod',
    verbs: kind === undefined ? ['get'] : ['create', 'get'],
  };
}
