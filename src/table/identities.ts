import type { Cluster } from '../model/cluster.ts';
import { declaredPorts, isEndpoint, type Pod } from '../model/pod.ts';
import type { Labels } from '../model/selector.ts';
import type { IpAddress } from '../net/ip.ts';
import type { Protocol } from '../net/port.ts';
import { getOrMake } from './get-or-make.ts';

/** What policies can tell pods apart by. */
export interface Identity {
  readonly id: number;
  readonly namespace: string;
  readonly labels: Labels;
  /** The same for identities whose port names stand for the same numbers. */
  readonly portNames: PortNames;
}

/** What port names stand for; keys are those of portName(). */
export interface PortNames {
  readonly id: number;
  readonly ports: ReadonlyMap<string, number>;
}

/** A pod's address. */
export interface Endpoint {
  readonly address: IpAddress;
  readonly pod: Pod;
  readonly identity: Identity;
}

/** All identities, by id, and the addresses that stand for them, by text. */
export interface Identities {
  readonly list: readonly Identity[];
  readonly endpoints: ReadonlyMap<string, Endpoint>;
}

/** The key of a named port in PortNames. Neither part can hold a slash. */
export function portName(protocol: Protocol, name: string): string {
  return `${protocol}/${name}`;
}

/** Finds the identities of the pods that policies see. An address of two such pods is the first one's. */
export function identify(cluster: Cluster): Identities {
  const identities = new Map<string, Identity>();
  const portNames = new Map<string, PortNames>();
  const endpoints = new Map<string, Endpoint>();
  for (const pod of cluster.pods.filter(isEndpoint)) {
    const names = portNamesOf(pod, portNames);
    const labels = [...pod.labels].sort(([one], [other]) => (one < other ? -1 : 1));
    const identity = getOrMake(identities, JSON.stringify([pod.namespace, names.id, labels]), () => {
      return { id: identities.size, namespace: pod.namespace, labels: pod.labels, portNames: names };
    });
    for (const address of pod.addresses) {
      getOrMake(endpoints, address.text, () => ({ address, pod, identity }));
    }
  }
  return { list: [...identities.values()], endpoints };
}

function portNamesOf(pod: Pod, known: Map<string, PortNames>): PortNames {
  const ports = new Map<string, number>();
  for (const { name, protocol, port } of declaredPorts(pod)) {
    if (name !== '') getOrMake<string, number>(ports, portName(protocol, name), () => port);
  }
  const key = [...ports].map(([name, port]) => `${name}=${port}`).sort();
  return getOrMake(known, key.join(), () => ({ id: known.size, ports }));
}
