import { expect } from 'vitest';
import type { SystemObject } from '../../src/apiserver/system-writes.ts';
import type { ApiFixture, Ended } from './api-fixture.ts';

/** How a command line is run: its standard input, the exit code that it must have, its environment. */
export interface Typed {
  readonly input?: string;
  readonly code?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Someone who types kubectl's command lines: words without spaces. Fails unless each ends with the exit code. */
export function kubectlOf(api: () => ApiFixture): (line: string, typed?: Typed) => Promise<Ended> {
  return async (line, { input = '', code = 0, env = {} } = {}) => {
    const ended = await api().kubectl(line.split(' '), input, env);
    expect(ended, `kubectl ${line}: ${ended.err}`).toMatchObject({ code });
    return ended;
  };
}

/** A policy that lets the pods labelled `from` reach port 80 of the web pods. */
export function policy(name: string, from = 'client'): string {
  return `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name} }
spec:
  podSelector: { matchLabels: { app: web } }
  policyTypes: [Ingress]
  ingress:
    - from: [{ podSelector: { matchLabels: { app: ${from} } } }]
      ports: [{ protocol: TCP, port: 80 }]
`;
}

/** A Deployment of these containers. */
export function deployment(name: string, containers: readonly string[]): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers: [${containers.map((container) => `{ name: ${container}, image: nginx:1 }`).join(', ')}]
`;
}

/** A running pod as the system stores it. */
export function runningPod(
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): SystemObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels },
    spec: { nodeName: 'node', containers: [{ name: 'main', image: 'nginx:1' }] },
    status: {
      phase: 'Running',
      podIP: '10.244.0.7',
      containerStatuses: [{ name: 'main', ready: true, restartCount: 2, state: { running: {} } }],
    },
  };
}
