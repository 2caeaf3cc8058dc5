import type { ApiObject } from '../../apiserver/api-object.ts';
import { birthOf, timestamp, type Origin } from '../../apiserver/lifecycle.ts';
import type { NodeFacts } from './backend.ts';
import { machineStatus } from './machine.ts';

/** The node that a lab's pods are on. */
export function nodeObject({ name, addresses }: NodeFacts, origin: Origin): ApiObject {
  const since = timestamp(origin.now());
  const times = { lastHeartbeatTime: since, lastTransitionTime: since };
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels, ...birthOf(origin, undefined) },
    spec: {},
    status: {
      ...machineStatus(),
      addresses: [
        ...addresses.map(({ text }) => ({ type: 'InternalIP', address: text })),
        { type: 'Hostname', address: name },
      ],
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'the lab runs', ...times }],
    },
  };
}
