import type { Cluster } from '../model/cluster.ts';
import type { Difference, Fact, ServiceHint } from '../model/near-miss.ts';
import { namedPort, podKey, type Pod } from '../model/pod.ts';
import type { PolicyPort } from '../model/policy.ts';
import { selects } from '../model/selector.ts';
import type { Connection } from '../model/verdict.ts';
import type { Port, Protocol } from '../net/port.ts';

/** Where a connection goes. `pod` is undefined if policies see none there. */
export interface Target {
  readonly cluster: Cluster;
  readonly connection: Connection;
  readonly pod: Pod | undefined;
}

/** What would have to differ for the connection to be to this port; nothing if it is. */
export function portDifferences(item: PolicyPort, target: Target): Difference[] {
  const { transport } = target.connection;
  if (transport === 'ICMP') {
    return [{ kind: 'icmp', text: `rule allows ${itemText(item)}, ICMP passes only rules that name no ports` }];
  }
  const number = numberDifference(item, target);
  if (item.protocol === transport) return number;
  const text = `rule allows ${itemText(item)}, you connected by ${transport}`;
  return [{ kind: 'protocol', text, actual: transport, enough: item.protocol }, ...number];
}

function numberDifference({ protocol, port }: PolicyPort, target: Target): Difference[] {
  const actual = target.connection.port;
  switch (port.kind) {
    case 'any':
      return [];
    case 'range': {
      const { first, last } = port;
      if (first <= actual && actual <= last) return [];
      const text = `rule allows ${rangeText(first, last)}, you connected to ${actual}`;
      return [hinted({ kind: 'port', text, actual, first, last }, hintFor(target, { protocol, first, last }))];
    }
    case 'named': {
      const { name } = port;
      const enough = target.pod && namedPort(target.pod, name, protocol);
      if (enough === actual) return [];
      const fact = { kind: 'named-port', name, protocol, actual } as const;
      if (enough === undefined) return [{ ...fact, text: missingName(target, fact), enough: null, service: null }];
      const text = `rule allows port ${name}, which is ${enough} here, you connected to ${actual}`;
      return [hinted({ ...fact, text, enough }, hintFor(target, { protocol, first: enough, last: enough }))];
    }
  }
}

function missingName({ pod, connection }: Target, { name, protocol }: { name: string; protocol: Protocol }): string {
  const where = pod ? podKey(pod) : `${connection.destination.text}, which is no pod,`;
  return `rule allows port ${name}/${protocol}, ${where} has none of that name`;
}

type Hintable = Omit<Extract<Fact, { service: unknown }>, 'service'> & { readonly text: string };

function hinted<Some extends Hintable>(difference: Some, service: ServiceHint | null) {
  if (!service) return { ...difference, service };
  const { namespace, name, port, target } = service;
  const hint = `${port} is the port of Service ${namespace}/${name}, which leads to ${target} here`;
  return { ...difference, text: `${difference.text}; ${hint}`, service };
}

/** The Service that explains the mistake: of its port and the pod's port the rule allows one, the connection uses the other. */
function hintFor(
  { cluster, connection, pod }: Target,
  { protocol, first, last }: { protocol: Protocol; first: Port; last: Port },
): ServiceHint | null {
  if (!pod) return null;
  const isAllowed = (port: Port): boolean => first <= port && port <= last;
  for (const { namespace, name, selector, ports } of cluster.services) {
    if (namespace !== pod.namespace || selector.kind === 'none' || !selects(selector.selector, pod.labels)) continue;
    for (const { port, protocol: by, target: to } of ports) {
      const target = typeof to === 'string' ? namedPort(pod, to, by) : to;
      if (by !== protocol || target === undefined) continue;
      const mixedUp = connection.port === target ? isAllowed(port) : connection.port === port && isAllowed(target);
      if (mixedUp) return { namespace, name, port, target };
    }
  }
  return null;
}

/** A port item as users write ports: `80`, `53/UDP`, `8000-8010`, `http`, `all of UDP`. */
function itemText({ protocol, port }: PolicyPort): string {
  const suffix = protocol === 'TCP' ? '' : `/${protocol}`;
  switch (port.kind) {
    case 'any':
      return `all of ${protocol}`;
    case 'range':
      return `${rangeText(port.first, port.last)}${suffix}`;
    case 'named':
      return `${port.name}${suffix}`;
  }
}

function rangeText(first: Port, last: Port): string {
  return first === last ? String(first) : `${first}-${last}`;
}
