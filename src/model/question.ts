import { parsePort, parseProtocol, type Port, type Protocol, type Transport } from '../net/port.ts';
import { sameIp, type Family, type IpAddress } from '../net/ip.ts';
import type { Cluster } from './cluster.ts';
import { endpointText, podsBehind, podsOf, serviceAt, serviceNamed, type Endpoint } from './endpoint.ts';
import { invariant } from './invariant.ts';
import { isFinished, podKey, type Pod } from './pod.ts';
import { serviceEndpoints, type Service } from './service.ts';
import { unknownEndpoint } from './unknown-endpoint.ts';
import type { Connection } from './verdict.ts';

/** A connection as users ask for it. `port` is 0 for ICMP. */
export interface Question {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly transport: Transport;
  readonly port: Port | 0;
}

/** One end of a connection: a pod, or an address that no pod has. */
export type Party =
  { readonly kind: 'pod'; readonly pod: Pod } | { readonly kind: 'address'; readonly address: IpAddress };

/**
 * What a question means in a cluster: the connection as the destination pod sees it, with a note for
 * each thing that was chosen or translated, or what is wrong with the question.
 */
export type Answer = ConnectionAnswer | Problem;

/** The connection, between whom it is, and what was chosen or translated. */
export interface ConnectionAnswer {
  readonly kind: 'connection';
  readonly connection: Connection;
  readonly from: Party;
  readonly to: Party;
  readonly notes: readonly string[];
}

/** What is wrong with a question. */
export interface Problem {
  readonly kind: 'problem';
  readonly message: string;
}

/** The connections that a question comes to, at least one, IPv4 first: one for each address family that both ends have. */
export interface Answers {
  readonly kind: 'connections';
  readonly byFamily: readonly [ConnectionAnswer, ...ConnectionAnswer[]];
}

/** A port as users write it. */
export interface PortSpec {
  readonly protocol: Protocol;
  readonly port: Port;
}

/** Parses `80`, `80/TCP` or `53/udp`; TCP if no protocol is given. @returns undefined if it is no port. */
export function parsePortSpec(text: string): PortSpec | undefined {
  const [portText = '', protocolText = 'TCP', ...rest] = text.split('/');
  const port = parsePort(portText);
  const protocol = parseProtocol(protocolText);
  return port !== undefined && protocol !== undefined && rest.length === 0 ? { protocol, port } : undefined;
}

/** What is wrong with an endpoint that parseEndpoint does not take. */
export function endpointProblem(text: string): string {
  const hint = /^[a-z0-9][-a-z0-9]*$/.test(text) ? `; did you mean default/${text}?` : '';
  return `"${text}" is no endpoint: write NAMESPACE/POD, NAMESPACE/KIND/NAME or an IP address${hint}`;
}

/**
 * Turns a question into a connection. Both ends get an address of one family, IPv4 if both have it;
 * of a workload's pods the first that fits is taken, for the destination rather not the source
 * itself. A Service, by name or by its address, becomes a pod behind it and the port there.
 */
export function toConnection(cluster: Cluster, question: Question): Answer {
  const answers = toConnections(cluster, question);
  return answers.kind === 'problem' ? answers : answers.byFamily[0];
}

/** Turns a question into a connection by each family that its ends have. The first is toConnection()'s, the others are between the same two. */
export function toConnections(cluster: Cluster, question: Question): Answers | Problem {
  const plan = planOf(cluster, question);
  if (plan.kind === 'problem') return plan;
  const [first] = plan.pairs;
  return answersOf(
    plan,
    plan.pairs.filter(({ to }) => isSameParty(to.party, first.to.party)),
  );
}

/** Turns a question into the connections to each pod that it may lead to: those behind a Service, those of a workload. */
export function toEveryConnection(cluster: Cluster, question: Question): readonly Answers[] | Problem {
  const plan = planOf(cluster, question);
  if (plan.kind === 'problem') return plan;
  const byDestination = Map.groupBy(plan.pairs, ({ to }) => partyText(to.party));
  return [...byDestination.values()].map((pairs) => answersOf(plan, pairs));
}

/** A question's ends as they can be joined, at least one pair of them, IPv4 before IPv6. */
interface Plan {
  readonly kind: 'plan';
  readonly cluster: Cluster;
  readonly question: Question;
  readonly service: Service | undefined;
  readonly pairs: readonly [Pair, ...Pair[]];
}

interface Pair {
  readonly from: End;
  readonly to: End;
}

function planOf(cluster: Cluster, question: Question): Plan | Problem {
  const sources = endsOf(cluster, question.from);
  if (sources.kind === 'problem') return sources;
  const service = serviceOf(cluster, question.to);
  const destinations = service ? endsBehind(cluster, service, question) : endsOf(cluster, question.to);
  if (destinations.kind === 'problem') return destinations;
  const [first, ...others] = pairsOf(sources.ends, destinations.ends);
  if (!first) return noSharedFamily(question, sources.ends, destinations.ends);
  return { kind: 'plan', cluster, question, service, pairs: [first, ...others] };
}

function answersOf({ cluster, question, service }: Plan, pairs: readonly Pair[]): Answers {
  const caveats = cluster.caveat === undefined ? [] : [cluster.caveat];
  const [first, ...others] = pairs.map(({ from, to }): ConnectionAnswer => {
    const [source, destination] = [from.address, to.address];
    return {
      kind: 'connection',
      connection: { source, destination, transport: question.transport, port: to.port ?? question.port },
      from: from.party,
      to: to.party,
      notes: [...notesOn(question, { from, to, service }), ...caveats],
    };
  });
  invariant(first, 'a plan has a pair');
  return { kind: 'connections', byFamily: [first, ...others] };
}

/** One address that an end of the connection may have. `port` is there where a Service translates it. */
interface End {
  readonly party: Party;
  readonly address: IpAddress;
  readonly port?: Port;
}

type Ends = { readonly kind: 'ends'; readonly ends: readonly End[] } | Problem;

/** The addresses of the pods that the endpoint names, or the address itself. */
function endsOf(cluster: Cluster, endpoint: Endpoint): Ends {
  const pods = podsOf(cluster, endpoint);
  if (endpoint.kind === 'address') {
    const [pod] = pods;
    const party: Party = pod ? { kind: 'pod', pod } : { kind: 'address', address: endpoint.address };
    return { kind: 'ends', ends: [{ party, address: endpoint.address }] };
  }
  const [first] = pods;
  if (!first) return problem(unknownEndpoint(cluster, endpoint));
  const ends = pods.flatMap((pod) =>
    addressesOf(pod).map((address): End => ({ party: { kind: 'pod', pod }, address })),
  );
  if (ends.length > 0) return { kind: 'ends', ends };
  const who = pods.length === 1 ? `pod ${podKey(first)}` : `every pod of ${endpointText(endpoint)}`;
  return problem(
    pods.every(isFinished)
      ? `${who} has finished (${first.phase}): it makes and takes no connections`
      : `${who} has no address yet`,
  );
}

/** The pods behind one port of a Service that has an address of its own; the pods alone if it is headless. */
function endsBehind(cluster: Cluster, service: Service, question: Question): Ends {
  const key = podKey(service);
  if (service.kind.kind === 'external') {
    return problem(`Service ${key} is only a name for ${service.kind.name}: ask for an address of that host`);
  }
  const pods = podsBehind(cluster, service);
  if (pods.length === 0) return problem(`no pod is behind Service ${key}`);
  if (service.kind.kind === 'headless') return endsOf(cluster, { kind: 'service', ...named(service) });
  const port = service.ports.find((each) => each.port === question.port && each.protocol === question.transport);
  if (!port) {
    const has = service.ports.map((each) => `${each.port}/${each.protocol}`).join(', ');
    return problem(`Service ${key} has no port ${question.port}/${question.transport}; it has ${has || 'none'}`);
  }
  const families: readonly Family[] = question.to.kind === 'address' ? [question.to.address.family] : [4, 6];
  const ends = families
    .flatMap((family) => serviceEndpoints(port, pods, family))
    .map((end): End => ({ party: { kind: 'pod', pod: end.pod }, address: end.address, port: end.port }));
  if (ends.length > 0) return { kind: 'ends', ends };
  return problem(
    `no pod behind Service ${key} has the address or the port "${port.target}" that ${port.port} leads to`,
  );
}

function serviceOf(cluster: Cluster, endpoint: Endpoint): Service | undefined {
  switch (endpoint.kind) {
    case 'service':
      return serviceNamed(cluster, endpoint);
    case 'address':
      return serviceAt(cluster, endpoint.address);
    default:
      return undefined;
  }
}

/** The pairs of one family, IPv4 before IPv6: the first source with every destination but itself, or with itself alone. */
function pairsOf(sources: readonly End[], destinations: readonly End[]): Pair[] {
  return ([4, 6] satisfies Family[]).flatMap((family) => {
    const from = sources.find(({ address }) => address.family === family);
    if (!from) return [];
    const all = destinations.filter(({ address }) => address.family === family);
    const others = all.filter(({ address }) => !sameIp(address, from.address));
    return (others.length > 0 ? others : all).map((to) => ({ from, to }));
  });
}

function notesOn(
  question: Question,
  { from, to, service }: { from: End; to: End; service: Service | undefined },
): string[] {
  const notes: string[] = [];
  const source = partyText(from.party);
  const destination = partyText(to.party);
  if (many(question.from)) notes.push(`${endpointText(question.from)} is here ${source}`);
  if (service) {
    const port = to.port === undefined || to.port === question.port ? '' : ` port ${to.port}`;
    notes.push(`Service ${podKey(service)} leads here to ${destination}${port}`);
  } else if (many(question.to)) {
    notes.push(`${endpointText(question.to)} is here ${destination}`);
  }
  return notes;
}

function many(endpoint: Endpoint): boolean {
  return endpoint.kind === 'workload' || endpoint.kind === 'service';
}

function isSameParty(one: Party, other: Party): boolean {
  return partyText(one) === partyText(other);
}

/** A party as reports name it: `NAMESPACE/POD` or the address. */
export function partyText(party: Party): string {
  return party.kind === 'pod' ? podKey(party.pod) : party.address.text;
}

/** Where the pod can be reached. A host-network pod without addresses of its own has its node's. */
function addressesOf(pod: Pod): readonly IpAddress[] {
  if (isFinished(pod)) return [];
  return pod.hostNetwork && pod.addresses.length === 0 ? pod.nodeAddresses : pod.addresses;
}

function noSharedFamily({ from, to }: Question, sources: readonly End[], destinations: readonly End[]): Problem {
  return problem(
    `no address family in common: ${endpointText(from)} has ${familiesOf(sources)}, ` +
      `${endpointText(to)} has ${familiesOf(destinations)}`,
  );
}

function familiesOf(ends: readonly End[]): string {
  return [...new Set(ends.map(({ address }) => `IPv${address.family}`))].sort().join(' and ');
}

function named({ namespace, name }: Service): { namespace: string; name: string } {
  return { namespace, name };
}

function problem(message: string): Problem {
  return { kind: 'problem', message };
}
