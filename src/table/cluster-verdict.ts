import type { Cluster } from '../model/cluster.ts';
import { podsOf } from '../model/endpoint.ts';
import { selects } from '../model/selector.ts';
import type { Connection, Verdict } from '../model/verdict.ts';
import { explain } from './explain.ts';

/** The verdict and its reasons for one connection alone. Cost: a look at every policy; a table would cost far more, once. */
export function verdictIn(cluster: Cluster, connection: Connection): Verdict {
  const podAt = (address: Connection['source']) => podsOf(cluster, { kind: 'address', address })[0];
  return explain(
    {
      podAt,
      isolating: (address, direction) => {
        const pod = podAt(address);
        return cluster.policies.filter(
          (policy) =>
            policy[direction].kind === 'isolates' &&
            policy.namespace === pod?.namespace &&
            selects(policy.podSelector, pod.labels),
        );
      },
      namespaceLabels: (name) => cluster.namespaces.get(name)?.labels ?? new Map(),
    },
    connection,
  );
}
