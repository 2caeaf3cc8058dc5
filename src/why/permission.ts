import type { JsonObject } from '../manifest/json.ts';
import type { Cluster } from '../model/cluster.ts';
import { podsOf } from '../model/endpoint.ts';
import { isEndpoint, type Pod } from '../model/pod.ts';
import type { Direction } from '../model/policy.ts';
import { selects } from '../model/selector.ts';
import type { Connection } from '../model/verdict.ts';
import { bits } from '../net/prefix.ts';

/** What a policy has to say, as manifests say it, to allow one connection in one direction and as little else as it can. */
export interface Permission {
  readonly direction: Direction;
  /** The pod that denies, and a selector of it in its namespace. */
  readonly subject: Pod;
  readonly podSelector: JsonObject;
  /** An item of `from` or `to`. */
  readonly peer: JsonObject;
  /** The pod that the peer is; undefined for an address. */
  readonly far: Pod | undefined;
  /** An item of `ports`; null for ICMP, which only rules without ports allow. */
  readonly port: JsonObject | null;
}

/** What a rule calls its peers. */
export function peersField(direction: Direction): 'to' | 'from' {
  return direction === 'egress' ? 'to' : 'from';
}

/** @returns undefined if the direction's end is no pod to policies: then it denies nothing. */
export function permissionFor(
  cluster: Cluster,
  { source, destination, transport, port }: Connection,
  direction: Direction,
): Permission | undefined {
  const [own, far] = direction === 'egress' ? [source, destination] : [destination, source];
  const [subject] = podsOf(cluster, { kind: 'address', address: own });
  const [pod] = podsOf(cluster, { kind: 'address', address: far });
  if (!subject) return undefined;
  const peer = pod ? peerOf(pod, subject.namespace) : { ipBlock: { cidr: `${far.text}/${bits(far.family)}` } };
  return {
    direction,
    subject,
    podSelector: subjectSelector(cluster, subject, direction),
    peer,
    far: pod,
    port: transport === 'ICMP' ? null : { protocol: transport, ...(port === 0 ? {} : { port }) }, // no policy names port 0
  };
}

/** Selects no pod that nothing isolates yet: a policy with this selector denies nothing anew. */
function subjectSelector({ pods, policies }: Cluster, subject: Pod, direction: Direction): JsonObject {
  const own = policies.filter(
    (policy) => policy.namespace === subject.namespace && policy[direction].kind === 'isolates',
  );
  const isIsolated = ({ labels }: Pod): boolean => own.some(({ podSelector }) => selects(podSelector, labels));
  const lasting = lastingLabels(subject);
  const open = pods.filter(
    (pod) => pod.namespace === subject.namespace && hasLabels(pod, lasting) && isEndpoint(pod) && !isIsolated(pod),
  );
  // They have all labels of the subject, and so each has one more, by which it is left out.
  const others = new Set(open.flatMap(({ labels }) => [...labels.keys()]).filter((key) => !subject.labels.has(key)));
  const matchExpressions = [...others].map((key) => ({ key, operator: 'DoesNotExist' }));
  return { ...selectorOf(subject), ...(matchExpressions.length > 0 ? { matchExpressions } : {}) };
}

function hasLabels({ labels }: Pod, wanted: readonly (readonly [string, string])[]): boolean {
  return wanted.every(([key, value]) => labels.get(key) === value);
}

function peerOf(pod: Pod, ownNamespace: string): JsonObject {
  const podSelector = selectorOf(pod);
  if (pod.namespace === ownNamespace) return { podSelector };
  return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': pod.namespace } }, podSelector };
}

// Labels that controllers give to tell apart the pods of one workload, or its revisions: another pod has others.
const PASSING = new Set([
  'pod-template-hash',
  'pod-template-generation',
  'controller-revision-hash',
  'controller-uid',
  'batch.kubernetes.io/controller-uid',
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
  'batch.kubernetes.io/job-completion-index',
]);

/** Selects the pod by all of its labels that last. A pod without labels is selected with all others of its namespace. */
function selectorOf(pod: Pod): JsonObject {
  const lasting = lastingLabels(pod);
  return lasting.length === 0 ? {} : { matchLabels: Object.fromEntries(lasting) };
}

function lastingLabels({ labels }: Pod): [string, string][] {
  return [...labels].filter(([key]) => !PASSING.has(key));
}
