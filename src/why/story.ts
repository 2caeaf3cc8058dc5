import type { FlowEvent, VerdictReport } from '../flows/flow-event.ts';
import type { Cluster } from '../model/cluster.ts';
import { podsOf } from '../model/endpoint.ts';
import { podKey } from '../model/pod.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy } from '../model/policy.ts';
import type { Connection, Verdict } from '../model/verdict.ts';
import { parseIp, type IpAddress } from '../net/ip.ts';
import { parsePort } from '../net/port.ts';
import { verdictReport } from '../report/verdict-report.ts';
import { verdictIn } from '../table/cluster-verdict.ts';
import { nearMisses } from '../table/near-miss.ts';
import type { PolicyManifest } from './policy-manifest.ts';
import { quote, type QuotedLine } from './quote.ts';
import { remedyFor, type Enforced, type Remedy } from './remedy.ts';

/** A policy that isolates a pod and does not allow the connection. */
export interface PolicyStory {
  readonly namespace: string;
  readonly name: string;
  readonly directions: readonly Direction[];
  /** The file that the lines are of; null where they are as the lab has the policy. */
  readonly file: string | null;
  readonly lines: readonly QuotedLine[];
}

/** Why a connection is denied, by the policies that there are now, and what would allow it. */
export interface Story {
  readonly flow: FlowEvent;
  readonly connection: Connection;
  readonly report: VerdictReport;
  /** Empty if it is allowed by now. */
  readonly policies: readonly PolicyStory[];
  /** Undefined if it is allowed by now, or nothing helps. */
  readonly remedy: Remedy | undefined;
}

/** The last denied connection of the log, with an end that is so. Ends of connections are none. */
export function lastDenial(
  flows: readonly FlowEvent[],
  isMeant: (party: FlowEvent['from']) => boolean,
): FlowEvent | undefined {
  return flows.findLast(
    ({ verdict, carried, from, to }) => verdict === 'deny' && !carried && (isMeant(from) || isMeant(to)),
  );
}

/** The connection of a flow as it would be made now: pods have the addresses that they have by now. @returns the pod that is gone, if one is. */
export function connectionNow(cluster: Cluster, flow: FlowEvent): Connection | { readonly gone: string } {
  const source = addressNow(cluster, flow.from);
  const destination = addressNow(cluster, flow.to);
  if (!source) return { gone: flow.from.name };
  if (!destination) return { gone: flow.to.name };
  return { source, destination, transport: flow.protocol, port: parsePort(flow.port) ?? 0 };
}

function addressNow(cluster: Cluster, { name, address }: FlowEvent['from']): IpAddress | undefined {
  const then = parseIp(address);
  const [namespace = '', pod] = name.split('/');
  if (pod === undefined) return then; // the node, or a host outside
  const now = podsOf(cluster, { kind: 'pod', namespace, name: pod })[0]?.addresses ?? [];
  return now.find(({ family }) => family === then?.family);
}

/** The policies that deny a connection, each once. */
export function denyingPolicies(verdict: Verdict): readonly NetworkPolicy[] {
  const sides = DIRECTIONS.map((direction) => verdict[direction]);
  return [...new Set(sides.flatMap((side) => (side.kind === 'no-rule' ? side.policies : [])))];
}

/**
 * The whole story of a denied flow.
 * @param asked `enforced` gives a cluster with its policies as the lab enforces them; `manifests` are those of all policies that deny the connection; `report` is the lab's own, with files.
 */
export function tellStory({
  flow,
  ...asked
}: {
  readonly flow: FlowEvent;
  readonly cluster: Cluster;
  readonly connection: Connection;
  readonly manifests: readonly PolicyManifest[];
  readonly report: VerdictReport | undefined;
  readonly enforced: Enforced;
}): Story {
  const { connection, manifests, enforced } = asked;
  const cluster = asWritten(asked.cluster, manifests);
  const inForce = enforced(cluster);
  const verdict = verdictIn(inForce, connection);
  const misses = nearMisses(inForce, connection, verdict);
  const policies = manifests.map((manifest): PolicyStory => {
    const { namespace, name } = manifest.policy;
    const own = misses.filter((miss) => podKey(miss) === podKey(manifest.policy));
    const directions = DIRECTIONS.filter((direction) => own.some((miss) => miss.direction === direction));
    const file = manifest.isOwn ? manifest.file.path : null;
    return { namespace, name, directions, file, lines: quote(manifest, own) };
  });
  const remedy = verdict.allowed ? undefined : remedyFor({ cluster, connection, manifests, enforced });
  const own = verdictReport(verdict);
  const report = asked.report?.verdict === own.verdict ? asked.report : own;
  return { flow, connection, report, policies, remedy };
}

/** The cluster with its policies at the lines of the manifests. */
function asWritten(cluster: Cluster, manifests: readonly PolicyManifest[]): Cluster {
  const written = new Map(manifests.map(({ policy }) => [podKey(policy), policy]));
  return { ...cluster, policies: cluster.policies.map((policy) => written.get(podKey(policy)) ?? policy) };
}
