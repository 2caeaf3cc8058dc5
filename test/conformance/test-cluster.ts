import type { ExternalHost } from '../../src/lab/lab-client.ts';

/** Labels by object: `x` is a namespace, `x/a` a pod. */
export type LabelsOf = Readonly<Record<string, Readonly<Record<string, string>>>>;

const NAMESPACES = ['x', 'y', 'z'] as const;
const PODS = ['a', 'b', 'c'] as const;

/** The pods of the cluster: `x/a` to `z/c`. */
export const POD_KEYS: readonly string[] = NAMESPACES.flatMap((namespace) => PODS.map((pod) => `${namespace}/${pod}`));

/** What every pod and the host outside serve. */
export const PORTS = [
  { protocol: 'TCP', port: 80 },
  { protocol: 'TCP', port: 81 },
  { protocol: 'UDP', port: 80 },
  { protocol: 'UDP', port: 81 },
] as const;

/** A host outside the cluster. */
export const OUTSIDE: ExternalHost = {
  name: 'outside',
  addresses: ['198.51.100.10', '2001:db8:51::10'],
  ports: PORTS,
};

/** Labels to begin with, as in the upstream suite: `ns` on namespaces, `pod` on pods. */
export const FIRST_LABELS: LabelsOf = Object.fromEntries(
  [...NAMESPACES, ...POD_KEYS].map((key): [string, Readonly<Record<string, string>>] => {
    const [namespace = '', pod] = key.split('/');
    return [key, pod === undefined ? { ns: namespace } : { pod }];
  }),
);

/** Addresses that policies can name: of `y/b`, the second pod of the second namespace, 10.244.2.2 and fd00:10:244::2:2. */
function podAddresses(key: string): readonly [string, string] {
  const [namespace = '', name = ''] = key.split('/');
  const [row, place] = [
    NAMESPACES.findIndex((each) => each === namespace) + 1,
    PODS.findIndex((each) => each === name) + 1,
  ];
  return [`10.244.${row}.${place}`, `fd00:10:244::${row}:${place}`];
}

/**
 * The cluster's manifests. Port 80/TCP is named serve-80-tcp and so on, with these exceptions: pods `c` have their TCP
 * names swapped, `z/b` has no names, and it is a sidecar of `z/c` that serves.
 */
export function clusterManifests(labels: LabelsOf): string {
  const objects = [
    ...NAMESPACES.map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: labels[name] ?? {} },
    })),
    ...POD_KEYS.map((key) => podManifest(key, labels[key] ?? {})),
  ];
  return objects.map((object) => JSON.stringify(object)).join('\n---\n');
}

function podManifest(key: string, labels: Readonly<Record<string, string>>): object {
  const [namespace = '', name = ''] = key.split('/');
  const server = { name: 'server', image: 'registry.example/agnhost', ports: containerPorts(key) };
  const spec =
    key === 'z/c'
      ? {
          initContainers: [{ ...server, restartPolicy: 'Always' }],
          containers: [{ name: 'main', image: 'registry.example/pause' }],
        }
      : { containers: [server] };
  const podIPs = podAddresses(key).map((ip) => ({ ip }));
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels }, spec, status: { podIPs } };
}

function containerPorts(key: string): object[] {
  const swapped = key.endsWith('/c');
  return PORTS.map(({ protocol, port }) => {
    const named = swapped && protocol === 'TCP' ? 161 - port : port;
    const name = `serve-${named}-${protocol.toLowerCase()}`;
    return { ...(key === 'z/b' ? {} : { name }), containerPort: port, protocol };
  });
}
