import type { Family, IpAddress } from '../net/ip.ts';
import type { Port, Protocol } from '../net/port.ts';
import { isFinished, namedPort, type Pod } from './pod.ts';
import { selects, type Selector } from './selector.ts';
import type { Source } from './source.ts';

/** A Service. NodePort and LoadBalancer count as `clusterIP`: inside the cluster they are. */
export interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly kind:
    | { readonly kind: 'clusterIP'; readonly addresses: readonly IpAddress[] }
    | { readonly kind: 'headless' }
    | { readonly kind: 'external'; readonly name: string };
  /** `none` without a selector: it has no endpoints of its own. */
  readonly selector: { readonly kind: 'none' } | { readonly kind: 'pods'; readonly selector: Selector };
  readonly ports: readonly ServicePort[];
  readonly publishNotReadyAddresses: boolean;
  readonly source: Source;
}

/** One port of a Service. `name` is empty if it has none; `target` is a number or the name of a pod's port. */
export interface ServicePort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: Port;
  readonly target: Port | string;
}

/** A pod behind a Service's port. */
export interface ServiceEndpoint {
  readonly pod: Pod;
  readonly address: IpAddress;
  readonly port: Port;
}

/** Pods that the Service selects, have an address and are not finished, host-network ones too, in the given order, ready or not. */
export function backends(service: Service, pods: readonly Pod[]): Pod[] {
  const { selector } = service;
  if (selector.kind === 'none') return [];
  return pods.filter(
    (pod) =>
      pod.namespace === service.namespace &&
      pod.addresses.length > 0 &&
      !isFinished(pod) &&
      selects(selector.selector, pod.labels),
  );
}

/** Where connections to one port of a Service go: one entry a backend that has the family and the target port. */
export function serviceEndpoints(port: ServicePort, pods: readonly Pod[], family: Family): ServiceEndpoint[] {
  return pods.flatMap((pod) => {
    const target = typeof port.target === 'string' ? namedPort(pod, port.target, port.protocol) : port.target;
    const address = pod.addresses.find((candidate) => candidate.family === family);
    return target !== undefined && address ? [{ pod, address, port: target }] : [];
  });
}
