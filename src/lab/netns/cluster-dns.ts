import { boundSocket } from '../../dataplane/libc.ts';
import { DnsServer } from '../../dns/server.ts';
import type { Zone } from '../../dns/zone.ts';
import type { ManifestFile } from '../../manifest/manifest.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Pod } from '../../model/pod.ts';

const DNS_PORT = 53;

/** The cluster's name server as kubeadm sets it up: pods that policies can select, behind the Service kube-dns. */
export const CLUSTER_DNS: ManifestFile = {
  path: 'coredns.yaml (built in)',
  text: `apiVersion: apps/v1
kind: Deployment
metadata: { name: coredns, namespace: kube-system, labels: { k8s-app: kube-dns } }
spec:
  replicas: 1
  selector: { matchLabels: { k8s-app: kube-dns } }
  template:
    metadata: { labels: { k8s-app: kube-dns } }
    spec:
      containers:
        - name: coredns
          image: registry.k8s.io/coredns/coredns
          ports:
            - { name: dns, containerPort: 53, protocol: UDP }
            - { name: dns-tcp, containerPort: 53, protocol: TCP }
---
apiVersion: v1
kind: Service
metadata: { name: kube-dns, namespace: kube-system, labels: { k8s-app: kube-dns } }
spec:
  clusterIP: 10.96.0.10
  clusterIPs: [10.96.0.10, 'fd00:10:96::a']
  selector: { k8s-app: kube-dns }
  ports:
    - { name: dns, port: 53, protocol: UDP }
    - { name: dns-tcp, port: 53, protocol: TCP }
`,
};

/** Whether the manifests bring a name server of their own. */
export function hasClusterDns(cluster: Cluster): boolean {
  return cluster.services.some(({ namespace, name }) => namespace === 'kube-system' && name === 'kube-dns');
}

/** The name servers of a pod's resolv.conf: the Service kube-dns, by the pod's first family, as a kubelet's clusterDNS. */
export function nameServersOf(pod: Pod, cluster: Cluster): string[] {
  const service = cluster.services.find(({ namespace, name }) => namespace === 'kube-system' && name === 'kube-dns');
  if (service?.kind.kind !== 'clusterIP') return [];
  const family = pod.addresses[0]?.family ?? 4;
  return service.kind.addresses.filter((address) => address.family === family).map(({ text }) => text);
}

/** Serves the zone on port 53 in the pod's network (a descriptor), UDP and TCP, in the pod's families. */
export async function startClusterDns(pod: Pod, namespace: number, zone: () => Zone): Promise<AsyncDisposable> {
  const families = new Set(pod.addresses.map(({ family }) => family));
  const bound = (type: 'tcp' | 'udp', family: 4 | 6): number[] =>
    families.has(family) ? [boundSocket({ namespace, type, address: family, port: DNS_PORT })] : [];
  return DnsServer.listen({
    udpFds: bound('udp', 4),
    udp6Fds: bound('udp', 6),
    tcpFds: [...bound('tcp', 4), ...bound('tcp', 6)],
    zone,
  });
}
