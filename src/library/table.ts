/**
 * `netpol-lab/table`: a cluster's policies compiled, asked and explained. One of the two modules that
 * other packages may import.
 */
import type { Cluster } from '../model/cluster.ts';
import { parseEndpoint } from '../model/endpoint.ts';
import { endpointProblem, parsePortSpec, toConnection, type Answer } from '../model/question.ts';

export type { Cluster, Namespace } from '../model/cluster.ts';
export { parseEndpoint, type Endpoint } from '../model/endpoint.ts';
export { isWithinReach, type Difference, type NearMiss } from '../model/near-miss.ts';
export type { Container, ContainerPort, Pod } from '../model/pod.ts';
export type { Direction, NetworkPolicy, Peer, PolicyPort, PolicySide, Rule } from '../model/policy.ts';
export { toConnection, type Answer, type Party, type Question } from '../model/question.ts';
export type { Labels, Requirement, Selector } from '../model/selector.ts';
export type { Service, ServicePort } from '../model/service.ts';
export type { Source } from '../model/source.ts';
export type { Connection, DirectionVerdict, RuleMatch, Verdict } from '../model/verdict.ts';
export { parseIp, type Family, type IpAddress } from '../net/ip.ts';
export { IP_PROTOCOL, parsePort, parseProtocol, type Port, type Protocol, type Transport } from '../net/port.ts';
export { compile } from '../table/compile.ts';
export { connectionDecider } from '../table/connection-decider.ts';
export { DENIED, openTable, type Decider } from '../table/decider.ts';
export { nearMisses } from '../table/near-miss.ts';
export { TableFormatError } from '../table/layout.ts';
export { LiveTable } from '../table/live-table.ts';
export type { PolicyTable, TableStats } from '../table/policy-table.ts';

/**
 * The connection that a question means, in the command line's words: endpoints `default/web`,
 * `default/deploy/web` or an address, ports `80`, `80/TCP` or `53/UDP`.
 */
export function connectionOf(cluster: Cluster, asked: { from: string; to: string; port: string }): Answer {
  const [from, to, spec] = [parseEndpoint(asked.from), parseEndpoint(asked.to), parsePortSpec(asked.port)];
  if (!from || !to) return { kind: 'problem', message: endpointProblem(from ? asked.to : asked.from) };
  if (!spec) return { kind: 'problem', message: `"${asked.port}" is no port: write 80, 80/TCP or 53/UDP` };
  return toConnection(cluster, { from, to, transport: spec.protocol, port: spec.port });
}
