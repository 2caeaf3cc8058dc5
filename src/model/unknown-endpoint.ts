import type { Cluster } from './cluster.ts';
import { endpointText, serviceNamed, type Endpoint } from './endpoint.ts';
import { suggestion } from './nearest-name.ts';
import { podKey, workloadName } from './pod.ts';

/** What is wrong with an endpoint that names no pod: `no pod default/wbe; did you mean default/web?` */
export function unknownEndpoint(cluster: Cluster, endpoint: Exclude<Endpoint, { kind: 'address' }>): string {
  const text = endpointText(endpoint);
  switch (endpoint.kind) {
    case 'service': {
      if (serviceNamed(cluster, endpoint)) return `no pod is behind Service ${podKey(endpoint)}`;
      const services = cluster.services.map((service) =>
        endpointText({ kind: 'service', namespace: service.namespace, name: service.name }),
      );
      return `no Service ${podKey(endpoint)}${suggestion(text, inNamespaceFirst(endpoint.namespace, services))}`;
    }
    case 'workload': {
      const names = inNamespaceFirst(endpoint.namespace, workloads(cluster));
      return `no ${endpoint.workload} ${podKey(endpoint)} with pods${suggestion(text, names)}`;
    }
    case 'pod': {
      const owner = workloads(cluster).find((name) => isNamed(name, endpoint));
      if (owner !== undefined) return `no pod ${text}; did you mean ${owner} (any pod of it)?`;
      return `no pod ${text}${suggestion(text, inNamespaceFirst(endpoint.namespace, cluster.pods.map(podKey)))}`;
    }
  }
}

/** Workloads that have pods, as endpoints are written. */
function workloads(cluster: Cluster): string[] {
  const owned = cluster.pods.filter(({ owner }) => owner.kind !== 'Pod');
  return [...new Set(owned.map(workloadName))];
}

function isNamed(workload: string, { namespace, name }: { namespace: string; name: string }): boolean {
  return workload.startsWith(`${namespace}/`) && workload.endsWith(`/${name}`);
}

function inNamespaceFirst(namespace: string, names: readonly string[]): string[] {
  const own = names.filter((name) => name.startsWith(`${namespace}/`));
  return [...own, ...names.filter((name) => !name.startsWith(`${namespace}/`))];
}
