import type { Pod } from '../model/pod.ts';
import { serviceEndpoints, type Service, type ServicePort } from '../model/service.ts';
import { parseIp, type IpAddress } from '../net/ip.ts';
import { CLUSTER_DOMAIN, canonical, dashedAddress, isDomainName, reverseName } from './names.ts';
import { addressRecord, type NameTree, type ZoneRecord } from './record.ts';

/** Seconds that clients may keep a Service's records: the default of CoreDNS' kubernetes plugin. */
export const SERVICE_TTL = 5;

const SRV_WEIGHT = 100; // CoreDNS' total, which the records of one answer share evenly

/** Where one port of a Service can be reached: a port number and the name of a host. */
interface Target {
  readonly port: number;
  readonly host: string;
}

/** SERVICE.NAMESPACE.svc.cluster.local. */
export function serviceName(service: { readonly namespace: string; readonly name: string }): string {
  return canonical(`${service.name}.${service.namespace}.svc.${CLUSTER_DOMAIN}`);
}

/**
 * Adds what a Service's name, ports, addresses and endpoints stand for.
 * @param pods what the Service publishes: its ready pods, or all of them with publishNotReadyAddresses.
 * Source: Kubernetes DNS-Based Service Discovery, §2.3 to 2.5, and where it leaves a choice, CoreDNS' kubernetes plugin.
 */
export function addService(tree: NameTree, service: Service, pods: readonly Pod[]): void {
  const owner = serviceName(service);
  if (!isDomainName(owner)) return;
  switch (service.kind.kind) {
    case 'external':
      addExternalName(tree, owner, service.kind.name);
      break;
    case 'headless':
      // §2.4.1: without endpoints the name does not exist.
      if (pods.length === 0) return;
      tree.add(owner, ...pods.flatMap(({ addresses }) => addresses.map(serviceAddress)));
      addEndpoints(tree, service, pods);
      addPorts(tree, service, (port) => endpointTargets(service, port, pods));
      break;
    case 'clusterIP':
      tree.add(owner, ...service.kind.addresses.map(serviceAddress));
      for (const address of service.kind.addresses) addPointer(tree, address, owner);
      addEndpoints(tree, service, pods);
      addPorts(tree, service, ({ port }) => [{ port, host: owner }]);
      break;
  }
}

/** A CNAME. Of an address or something that is no name, CoreDNS makes none either. */
function addExternalName(tree: NameTree, owner: string, target: string): void {
  const data = canonical(target);
  if (!parseIp(data) && isDomainName(data)) tree.add(owner, { type: 'CNAME', ttl: SERVICE_TTL, data });
}

/** A name of its own and a PTR record for each endpoint; behind a ClusterIP too, as in CoreDNS. */
function addEndpoints(tree: NameTree, service: Service, pods: readonly Pod[]): void {
  for (const pod of pods) {
    for (const address of pod.addresses) {
      const host = endpointHost(service, pod, address);
      tree.add(host, serviceAddress(address));
      addPointer(tree, address, host);
    }
  }
}

/** SRV records: of each named port below `_PORT._PROTOCOL`, and of all ports at the Service's own name, as in CoreDNS. */
function addPorts(tree: NameTree, service: Service, targetsOf: (port: ServicePort) => readonly Target[]): void {
  const owner = serviceName(service);
  const targets = service.ports.map((port) => ({ port, targets: targetsOf(port) }));
  tree.add(owner, ...srvRecords(targets.flatMap((entry) => entry.targets)));
  for (const entry of targets) {
    if (entry.port.name === '' || entry.targets.length === 0) continue;
    tree.add(`_${entry.port.name}._${entry.port.protocol}.${owner}`, ...srvRecords(entry.targets));
  }
}

/** One SRV record a distinct target. */
function srvRecords(targets: readonly Target[]): ZoneRecord[] {
  const distinct = [...new Map(targets.map((target) => [`${target.port} ${target.host}`, target])).values()];
  const weight = Math.max(1, Math.floor(SRV_WEIGHT / distinct.length));
  return distinct.map(({ port, host }) => ({
    type: 'SRV',
    ttl: SERVICE_TTL,
    data: { priority: 0, weight, port, target: host },
  }));
}

/** The endpoints of a headless Service's port, by their names and the port that their pods listen on. */
function endpointTargets(service: Service, port: ServicePort, pods: readonly Pod[]): Target[] {
  const endpoints = ([4, 6] as const).flatMap((family) => serviceEndpoints(port, pods, family));
  return endpoints.map((endpoint) => ({
    port: endpoint.port,
    host: endpointHost(service, endpoint.pod, endpoint.address),
  }));
}

/** An endpoint's name: the pod's hostname if its subdomain is the Service, else its address. */
function endpointHost(service: Service, pod: Pod, address: IpAddress): string {
  const named = pod.subdomain === service.name && isDomainName(pod.hostname);
  const label = named ? pod.hostname : dashedAddress(address);
  return canonical(`${label}.${serviceName(service)}`);
}

function addPointer(tree: NameTree, address: IpAddress, name: string): void {
  tree.add(reverseName(address), { type: 'PTR', ttl: SERVICE_TTL, data: name });
}

function serviceAddress(address: IpAddress): ZoneRecord {
  return addressRecord(address, SERVICE_TTL);
}
