import type { Cluster } from '../model/cluster.ts';
import type { Pod } from '../model/pod.ts';
import { backends, type Service } from '../model/service.ts';
import { parseIp, type IpAddress } from '../net/ip.ts';
import { canonical, CLUSTER_DOMAIN, isDomainName, isWithin, reverseName } from './names.ts';
import { addressRecord, NameTree, type Names, type ZoneRecord } from './record.ts';
import { addService, SERVICE_TTL, serviceName } from './service-records.ts';

/** A host outside the cluster, known by name. */
export interface ExternalName {
  readonly name: string;
  readonly addresses: readonly IpAddress[];
}

/** What a zone is made of: one snapshot of the cluster. `serial` numbers snapshots, for the SOA record. */
export interface ZoneInput {
  readonly cluster: Cluster;
  readonly isReady: (pod: Pod) => boolean;
  readonly external: readonly ExternalName[];
  readonly serial: number;
}

/**
 * All names that the lab's name server knows, at one moment. Immutable.
 * `cluster` is what CoreDNS' kubernetes plugin would answer: cluster.local, and addresses of Services and endpoints.
 * `external` stands in for the upstream resolver.
 */
export interface Zone {
  readonly cluster: Names;
  readonly external: Names;
  readonly soa: ZoneRecord;
}

const SCHEMA_VERSION = '1.1.0';
const SCHEMA_VERSION_TTL = 28_800; // the specification's example, §2.2, and CoreDNS' value
const EXTERNAL_TTL = 30; // the most that kubeadm's `cache 30` lets an upstream's answer live
const NAME_SERVER = `ns.dns.${CLUSTER_DOMAIN}`; // CoreDNS' name for itself
const KUBE_DNS = { namespace: 'kube-system', name: 'kube-dns' };

const POD_NAME = /^([0-9a-f-]+)\.([^.]+\.pod\.cluster\.local)$/;

/** Collects every record of a snapshot. Cost: one pass over each namespace's pods for each of its Services. */
export function buildZone({ cluster, isReady, external, serial }: ZoneInput): Zone {
  const tree = new NameTree();
  const soa = addDomain(tree, cluster.services, serial);
  for (const namespace of cluster.namespaces.keys()) {
    tree.add(`${namespace}.svc.${CLUSTER_DOMAIN}`);
    tree.add(`${namespace}.pod.${CLUSTER_DOMAIN}`);
  }
  const podsOf = podsByNamespace(cluster.pods);
  for (const service of cluster.services) {
    const selected = backends(service, podsOf.get(service.namespace) ?? []);
    addService(tree, service, service.publishNotReadyAddresses ? selected : selected.filter(isReady));
  }
  return { cluster: tree.names, external: externalNames(external), soa };
}

/**
 * The records of a canonical name: an empty list if it exists without records, undefined if it does not exist.
 * Names within cluster.local are the cluster's alone; others may also be those of external hosts.
 */
export function recordsOf(zone: Zone, name: string): readonly ZoneRecord[] | undefined {
  if (isWithin(name, CLUSTER_DOMAIN)) return zone.cluster.get(name) ?? podRecords(zone, name);
  return zone.cluster.get(name) ?? zone.external.get(name);
}

/** Whether this server has the last word on the name: the cluster's own domain, and addresses that are the cluster's. */
export function isAuthoritative(zone: Zone, name: string): boolean {
  return isWithin(name, CLUSTER_DOMAIN) || (zone.cluster.get(name)?.length ?? 0) > 0;
}

function podsByNamespace(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const podsOf = new Map<string, Pod[]>();
  for (const pod of pods) {
    const others = podsOf.get(pod.namespace);
    if (others) others.push(pod);
    else podsOf.set(pod.namespace, [pod]);
  }
  return podsOf;
}

/** The cluster domain's own records. @returns its SOA record. */
function addDomain(tree: NameTree, services: readonly Service[], serial: number): ZoneRecord {
  const kubeDns = services.find(({ namespace, name }) => namespace === KUBE_DNS.namespace && name === KUBE_DNS.name);
  const soa: ZoneRecord = {
    type: 'SOA',
    ttl: SERVICE_TTL,
    data: {
      mname: NAME_SERVER,
      rname: `hostmaster.${CLUSTER_DOMAIN}`,
      serial: serial >>> 0,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: SERVICE_TTL,
    },
  };
  const nameServer = kubeDns ? serviceName(kubeDns) : NAME_SERVER;
  tree.add(CLUSTER_DOMAIN, soa, { type: 'NS', ttl: SERVICE_TTL, data: nameServer });
  const addresses = kubeDns?.kind.kind === 'clusterIP' ? kubeDns.kind.addresses : [];
  tree.add(NAME_SERVER, ...addresses.map((address) => addressRecord(address, SERVICE_TTL)));
  tree.add(`svc.${CLUSTER_DOMAIN}`);
  tree.add(`pod.${CLUSTER_DOMAIN}`);
  tree.add(`dns-version.${CLUSTER_DOMAIN}`, { type: 'TXT', ttl: SCHEMA_VERSION_TTL, data: SCHEMA_VERSION });
  return soa;
}

/**
 * Forward and reverse names of the hosts outside, but for names that DNS cannot carry. A name within cluster.local is
 * the cluster's alone, so one that a host claims is never found.
 */
function externalNames(external: readonly ExternalName[]): Names {
  const tree = new NameTree();
  for (const { name: text, addresses } of external) {
    const name = canonical(text);
    if (!isDomainName(name)) continue;
    tree.add(name, ...addresses.map((address) => addressRecord(address, EXTERNAL_TTL)));
    for (const address of addresses) {
      tree.add(reverseName(address), { type: 'PTR', ttl: EXTERNAL_TTL, data: name });
    }
  }
  return tree.names;
}

/**
 * The address that a name like 10-244-0-7.NAMESPACE.pod.cluster.local spells, whether or not a pod has it:
 * kubeadm sets CoreDNS' `pods insecure`. The namespace must exist.
 */
function podRecords(zone: Zone, name: string): readonly ZoneRecord[] | undefined {
  const [, label, domain] = POD_NAME.exec(name) ?? [];
  if (label === undefined || domain === undefined || !zone.cluster.has(domain)) return undefined;
  const address = parseIp(label.replaceAll('-', '.')) ?? parseIp(label.replaceAll('-', ':'));
  return address && [addressRecord(address, SERVICE_TTL)];
}
