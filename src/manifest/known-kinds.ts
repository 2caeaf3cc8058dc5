import { NAMESPACE } from './namespace-schema.ts';
import { POD } from './pod-schema.ts';
import { NETWORK_POLICY } from './policy-schema.ts';
import { SERVICE } from './service-schema.ts';
import {
  CRON_JOB,
  DAEMON_SET,
  DEPLOYMENT,
  JOB,
  REPLICA_SET,
  REPLICATION_CONTROLLER,
  STATEFUL_SET,
} from './workload-schema.ts';

/** The schemas of the kinds that netpol-lab knows. */
export const SCHEMAS = {
  Namespace: NAMESPACE,
  Pod: POD,
  Deployment: DEPLOYMENT,
  ReplicaSet: REPLICA_SET,
  StatefulSet: STATEFUL_SET,
  DaemonSet: DAEMON_SET,
  Job: JOB,
  CronJob: CRON_JOB,
  ReplicationController: REPLICATION_CONTROLLER,
  Service: SERVICE,
  NetworkPolicy: NETWORK_POLICY,
} as const;

/** A kind that netpol-lab knows. */
export type KnownKind = keyof typeof SCHEMAS;

const API_VERSIONS: Readonly<Record<KnownKind, string>> = {
  Namespace: 'v1',
  Pod: 'v1',
  Deployment: 'apps/v1',
  ReplicaSet: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
  ReplicationController: 'v1',
  Service: 'v1',
  NetworkPolicy: 'networking.k8s.io/v1',
};

// Groups in which Kubernetes itself has or had these kinds; in any other group the kind is somebody else's.
const KUBERNETES_GROUPS = ['', 'apps', 'batch', 'extensions', 'networking.k8s.io'];

/** Whether an object is one that netpol-lab reads, one that it does not know, or one of a version that is not served. */
export type KindMatch =
  | { readonly kind: 'known'; readonly known: KnownKind }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'wrong-version'; readonly supported: string };

/** Looks the kind up. A NetworkPolicy of any other group is never passed over: it would silently not be enforced. */
export function matchKind(apiVersion: string, kind: string): KindMatch {
  if (!isKnown(kind)) return { kind: 'unknown' };
  const supported = API_VERSIONS[kind];
  if (apiVersion === supported) return { kind: 'known', known: kind };
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const own = KUBERNETES_GROUPS.includes(group) || kind === 'NetworkPolicy';
  return own ? { kind: 'wrong-version', supported } : { kind: 'unknown' };
}

function isKnown(kind: string): kind is KnownKind {
  return Object.hasOwn(SCHEMAS, kind);
}
