import { parseIp, type IpAddress } from '../net/ip.ts';
import type { Cluster } from './cluster.ts';
import { kindNamed, type WorkloadKind } from './kind-names.ts';
import { isEndpoint, podKey, type Pod } from './pod.ts';
import { backends, type Service } from './service.ts';

/** One end of a connection as users write it. */
export type Endpoint =
  | { readonly kind: 'address'; readonly address: IpAddress }
  | { readonly kind: 'pod'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'service'; readonly namespace: string; readonly name: string }
  | {
      readonly kind: 'workload';
      readonly workload: WorkloadKind;
      readonly namespace: string;
      readonly name: string;
    };

const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?$/;

/** Parses `NAMESPACE/POD`, `NAMESPACE/KIND/NAME` or an IP address. @returns undefined if it is none of these. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const address = parseIp(text);
  if (address) return { kind: 'address', address };
  const [namespace = '', ...rest] = text.split('/');
  const name = rest.at(-1) ?? '';
  const kindText = rest.length === 1 ? 'pod' : (rest[0] ?? '');
  if (rest.length > 2 || !DNS_LABEL.test(namespace) || !DNS_SUBDOMAIN.test(name)) return undefined;
  const kind = kindNamed(kindText)?.kind;
  switch (kind) {
    case undefined:
    case 'Namespace':
    case 'NetworkPolicy':
      return undefined;
    case 'Pod':
      return { kind: 'pod', namespace, name };
    case 'Service':
      return { kind: 'service', namespace, name };
    default:
      return { kind: 'workload', workload: kind, namespace, name };
  }
}

/** The endpoint as users write it; parseEndpoint reads it back. */
export function endpointText(endpoint: Endpoint): string {
  switch (endpoint.kind) {
    case 'address':
      return endpoint.address.text;
    case 'pod':
      return podKey(endpoint);
    case 'service':
      return `${endpoint.namespace}/service/${endpoint.name}`;
    case 'workload':
      return `${endpoint.namespace}/${endpoint.workload.toLowerCase()}/${endpoint.name}`;
  }
}

/**
 * The pods that an endpoint names, finished ones too, in the cluster's order: the pod itself, all of
 * a workload, those behind a Service, the endpoint pod that has the address. Empty if it names none.
 * Cost: a few map lookups, after one pass over each new cluster.
 */
export function podsOf(cluster: Cluster, endpoint: Endpoint): readonly Pod[] {
  const directory = directoryOf(cluster);
  switch (endpoint.kind) {
    case 'address':
      return listOf(directory.podByAddress.get(endpoint.address.text));
    case 'pod':
      return listOf(directory.podByKey.get(podKey(endpoint)));
    case 'service':
      return listOf(directory.serviceByKey.get(podKey(endpoint))).flatMap((service) => backends(service, cluster.pods));
    case 'workload':
      return directory.podsByWorkload.get(endpointText(endpoint)) ?? [];
  }
}

/** The pods behind a Service, ready or not, in the cluster's order. Cost: the first time each, every pod. */
export function podsBehind(cluster: Cluster, service: Service): readonly Pod[] {
  const { podsByService } = directoryOf(cluster);
  const known = podsByService.get(service);
  if (known) return known;
  const pods = backends(service, cluster.pods);
  podsByService.set(service, pods);
  return pods;
}

/** The Service of that namespace and name. @returns undefined if there is none. */
export function serviceNamed(cluster: Cluster, key: { namespace: string; name: string }): Service | undefined {
  return directoryOf(cluster).serviceByKey.get(podKey(key));
}

/** The Service that has this cluster address. @returns undefined if it is no Service's. */
export function serviceAt(cluster: Cluster, address: IpAddress): Service | undefined {
  return directoryOf(cluster).serviceByAddress.get(address.text);
}

/** Whatever can be named in a cluster, by name and by address. */
interface Directory {
  readonly podByKey: ReadonlyMap<string, Pod>;
  readonly podByAddress: ReadonlyMap<string, Pod>;
  readonly podsByWorkload: ReadonlyMap<string, readonly Pod[]>;
  readonly serviceByKey: ReadonlyMap<string, Service>;
  readonly serviceByAddress: ReadonlyMap<string, Service>;
  /** Filled as it is asked for. */
  readonly podsByService: Map<Service, readonly Pod[]>;
}

// A cluster never changes, so its directory holds for as long as the cluster itself.
const directories = new WeakMap<Cluster, Directory>();

function directoryOf(cluster: Cluster): Directory {
  const known = directories.get(cluster);
  if (known) return known;
  const directory = makeDirectory(cluster);
  directories.set(cluster, directory);
  return directory;
}

function makeDirectory({ pods, services }: Cluster): Directory {
  const owned = pods.filter(isEndpoint).flatMap((pod) => pod.addresses.map(({ text }) => [text, pod] as const));
  return {
    podByKey: new Map(pods.map((pod) => [podKey(pod), pod])),
    // Reversed, so that of two pods with one address the first one stays.
    podByAddress: new Map(owned.reverse()),
    podsByWorkload: podsByWorkload(pods),
    serviceByKey: new Map(services.map((service) => [podKey(service), service])),
    serviceByAddress: new Map(
      services.flatMap((service) =>
        service.kind.kind === 'clusterIP' ? service.kind.addresses.map(({ text }) => [text, service] as const) : [],
      ),
    ),
    podsByService: new Map(),
  };
}

function podsByWorkload(pods: readonly Pod[]): Map<string, Pod[]> {
  const groups = new Map<string, Pod[]>();
  for (const pod of pods) {
    const key = `${pod.namespace}/${pod.owner.kind.toLowerCase()}/${pod.owner.name}`;
    const group = groups.get(key);
    if (group) group.push(pod);
    else groups.set(key, [pod]);
  }
  return groups;
}

function listOf<T>(item: T | undefined): readonly T[] {
  return item === undefined ? [] : [item];
}
