import type { ManifestFile } from '../../manifest/manifest.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Pod } from '../../model/pod.ts';

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

/** The name servers of a pod's resolv.conf: the Service kube-dns, by the pod's first family, as a kubelet's clusterDNS. */
export function nameServersOf(pod: Pod, cluster: Cluster): string[] {
  const service = cluster.services.find(({ namespace, name }) => namespace === 'kube-system' && name === 'kube-dns');
  if (service?.kind.kind !== 'clusterIP') return [];
  const family = pod.addresses[0]?.family ?? 4;
  return service.kind.addresses.filter((address) => address.family === family).map(({ text }) => text);
}
