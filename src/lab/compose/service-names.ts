import { LabError } from '../../model/lab-error.ts';
import type { Container, Pod } from '../../model/pod.ts';

/** The service of the control plane. */
export const CONTROL_PLANE = 'control__plane';

/** The port of the control plane's Kubernetes API, in its container. */
export const API_PORT = 6443;

/** The Compose project of a lab. */
export function projectName(lab: string): string {
  return `netpol-lab-${lab}`;
}

/**
 * The service of a pod's first container: `POD`, or `NAMESPACE_POD` if that is not default. Names of pods and
 * namespaces have no underscores, so no two pods share one. A dot becomes three underscores: Compose reads it as a path.
 */
export function podService({ namespace, name }: Pick<Pod, 'namespace' | 'name'>): string {
  const service = name.replaceAll('.', '___');
  return namespace === 'default' ? service : `${namespace}_${service}`;
}

/** The service of the pod's proxy, which holds the pod's network: `POD__proxy`. */
export function proxyService(pod: Pick<Pod, 'namespace' | 'name'>): string {
  return `${podService(pod)}__proxy`;
}

/** The service of a container of the pod: of the first the pod's own, of others `POD__CONTAINER`. */
export function containerService(pod: Pod, container: Container): string {
  const first = pod.containers.find(({ role }) => role === 'main');
  if (container === first) return podService(pod);
  return `${podService(pod)}__${container.name === 'proxy' ? 'proxy-container' : container.name}`;
}

/** The service of a host outside the cluster. */
export function outsideService(host: string): string {
  return `outside__${host.replaceAll('.', '-')}`;
}

/** The services by their names. @throws LabError usage if two have one, which only odd names lead to. */
export function byName<Service>(
  services: readonly (readonly [name: string, service: Service])[],
): Record<string, Service> {
  const all: Record<string, Service> = {};
  for (const [name, service] of services) {
    if (name in all) throw new LabError('usage', `two services would be called ${name}: rename the pod or the host`);
    all[name] = service;
  }
  return all;
}
