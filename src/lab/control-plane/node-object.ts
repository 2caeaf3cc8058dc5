import type { SystemObject } from '../../apiserver/system-writes.ts';
import type { NodeFacts } from './backend.ts';

/** The node that a lab's pods are on. `since` is the time at which the lab began, ISO 8601. */
export function nodeObject({ name, addresses }: NodeFacts, since: string): SystemObject {
  const times = { lastHeartbeatTime: since, lastTransitionTime: since };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    spec: {},
    status: {
      addresses: [
        ...addresses.map(({ text }) => ({ type: 'InternalIP', address: text })),
        { type: 'Hostname', address: name },
      ],
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'the lab runs', ...times }],
    },
  };
}
