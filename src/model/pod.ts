import type { IpAddress } from '../net/ip.ts';
import type { Port, Protocol } from '../net/port.ts';
import type { Labels } from './selector.ts';
import type { Source } from './source.ts';

/** A pod, its own or a workload's. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly annotations: ReadonlyMap<string, string>;
  /** The workload that it was written as or made for, `Pod` itself for a bare pod. */
  readonly owner: { readonly kind: string; readonly name: string };
  readonly phase: PodPhase;
  /** At most one of each family; none while it has no address. */
  readonly addresses: readonly IpAddress[];
  /** The addresses of its node; empty if unknown. */
  readonly nodeAddresses: readonly IpAddress[];
  readonly hostNetwork: boolean;
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  /** `spec.hostname`, else its name, as long as Linux takes it; `subdomain` is empty if not given. */
  readonly hostname: string;
  readonly subdomain: string;
  readonly resolver: Resolver;
  /** Lines of its hosts file beside its own. `ip` is an address in text. */
  readonly hostAliases: readonly { readonly ip: string; readonly hostnames: readonly string[] }[];
  readonly containers: readonly Container[];
  readonly source: Source;
}

/** How a pod looks up names: as the cluster does if `ofCluster`, and by what it says of its own. The value of an option may be empty. */
export interface Resolver {
  readonly ofCluster: boolean;
  readonly nameServers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly { readonly name: string; readonly value: string }[];
}

/** Where a pod is in its life. Source: core/v1 PodPhase. */
export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** A container. `sidecar` is an init container that restarts (restartPolicy: Always). */
export interface Container {
  readonly name: string;
  readonly role: 'main' | 'init' | 'sidecar';
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  /** Where its command begins; empty for wherever that is. */
  readonly workingDir: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly ContainerPort[];
  /** Whether its command has an input, whether that ends with the first client that is attached, and a terminal. */
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly readiness: Probe;
}

/** A declared port. `name` is empty if it has none. */
export interface ContainerPort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: Port;
}

/** A readiness probe. `port` is a number or the name of a port of the container. */
export type Probe =
  | { readonly kind: 'none' }
  | { readonly kind: 'tcp'; readonly port: Port | string }
  | { readonly kind: 'http'; readonly port: Port | string; readonly path: string }
  | { readonly kind: 'exec'; readonly command: readonly string[] };

/** `NAMESPACE/NAME`, unique among pods. */
export function podKey(pod: { readonly namespace: string; readonly name: string }): string {
  return `${pod.namespace}/${pod.name}`;
}

/** The pod's workload as users write it, `NAMESPACE/KIND/NAME`; the pod itself if it has none. */
export function workloadName(pod: Pick<Pod, 'namespace' | 'name' | 'owner'>): string {
  const { namespace, owner } = pod;
  return owner.kind === 'Pod' ? podKey(pod) : `${namespace}/${owner.kind.toLowerCase()}/${owner.name}`;
}

/**
 * Whether policies see the pod, as subject and as peer: it is not finished, has an address of its
 * own and is not on its node's network. Source: SEMANTICS 13 and 23.
 */
export function isEndpoint(pod: Pod): boolean {
  return !isFinished(pod) && !pod.hostNetwork && pod.addresses.length > 0;
}

/** Whether all its containers have ended for good. */
export function isFinished(pod: Pick<Pod, 'phase'>): boolean {
  return pod.phase === 'Succeeded' || pod.phase === 'Failed';
}

/** Declared ports that policies and Services can name: of its containers, then of its restartable init containers. */
export function declaredPorts(pod: Pod): readonly ContainerPort[] {
  const running = pod.containers.filter(({ role }) => role === 'main');
  const sidecars = pod.containers.filter(({ role }) => role === 'sidecar');
  return [...running, ...sidecars].flatMap(({ ports }) => ports);
}

/** The number that a port name stands for on this pod: the first of that name and protocol. @returns undefined if it has none. */
export function namedPort(pod: Pod, name: string, protocol: Protocol): Port | undefined {
  return declaredPorts(pod).find((port) => port.name === name && port.protocol === protocol)?.port;
}
