/** A kind of object that netpol-lab knows, and the names that kubectl has for it. */
export interface KindNames {
  readonly kind: KindName;
  /** As output names it: `networkpolicy.networking.k8s.io`. */
  readonly resource: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** The kinds, as manifests write them. */
export type KindName = 'Namespace' | 'Pod' | 'Service' | 'NetworkPolicy' | WorkloadKind;

/** Kinds of workload: each makes pods. */
export type WorkloadKind =
  'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'CronJob' | 'ReplicationController';

// Kind, API group, plural, short names. Source: kubectl api-resources.
const KINDS: readonly (readonly [KindName, string, string, ...string[]])[] = [
  ['Namespace', '', 'namespaces', 'ns'],
  ['Pod', '', 'pods', 'po'],
  ['Service', '', 'services', 'svc'],
  ['NetworkPolicy', 'networking.k8s.io', 'networkpolicies', 'netpol'],
  ['Deployment', 'apps', 'deployments', 'deploy'],
  ['ReplicaSet', 'apps', 'replicasets', 'rs'],
  ['StatefulSet', 'apps', 'statefulsets', 'sts'],
  ['DaemonSet', 'apps', 'daemonsets', 'ds'],
  ['Job', 'batch', 'jobs'],
  ['CronJob', 'batch', 'cronjobs', 'cj'],
  ['ReplicationController', '', 'replicationcontrollers', 'rc'],
];

const BY_NAME: ReadonlyMap<string, KindNames> = new Map(
  KINDS.flatMap(([kind, group, plural, ...short]) => {
    const singular = kind.toLowerCase();
    const resource = group === '' ? singular : `${singular}.${group}`;
    const names: KindNames = { kind, resource, plural, namespaced: kind !== 'Namespace' };
    const inGroup = group === '' ? [] : [resource, `${plural}.${group}`];
    return [singular, plural, ...short, ...inGroup].map((name) => [name, names] as const);
  }),
);

/** The kind that a user names in any of kubectl's forms: `netpol`, `networkpolicies`, `NetworkPolicy` … @returns undefined if it is unknown. */
export function kindNamed(text: string): KindNames | undefined {
  return BY_NAME.get(text.toLowerCase());
}

/** Every kind's plural, for messages and completion. */
export const KIND_PLURALS: readonly string[] = KINDS.map(([, , plural]) => plural);
