/** Where a lab's API is, and what lets one in. */
export interface KubeconfigFacts {
  /** `https://127.0.0.1:PORT`. */
  readonly server: string;
  /** The certificate authority; absent over plain HTTP. */
  readonly caPem?: string;
  /** Absent where nobody asks for it. */
  readonly token?: string;
  /** The namespace of commands that name none. */
  readonly namespace: string;
  /** The name of cluster, user and context. */
  readonly name?: string;
}

/** A kubeconfig file: JSON, which is YAML. */
export function kubeconfig({ server, caPem, token, namespace, name = 'netpol-lab' }: KubeconfigFacts): string {
  const authority = caPem === undefined ? {} : { 'certificate-authority-data': Buffer.from(caPem).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, ...authority } }],
    users: [{ name, user: token === undefined ? {} : { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
