import type { Cluster } from '../model/cluster.ts';
import { invariant } from '../model/invariant.ts';
import { podKey, type Pod } from '../model/pod.ts';
import type { NetworkPolicy, PolicySide } from '../model/policy.ts';
import type { LiveTable } from '../table/live-table.ts';
import { summary, timeOf, type Times } from './timing.ts';
import { portOf } from './workload.ts';

const CHANGES = 500;

/** A change of the table and what undoes it. */
type Pair = readonly [change: (table: LiveTable) => unknown, undo: (table: LiveTable) => unknown];

/** The kinds of changes: the `index`-th of each. */
const KINDS: Readonly<Record<string, (cluster: Cluster, index: number) => Pair>> = {
  relabelToKnown: ({ pods }, index) => {
    const pod = at(pods, index);
    return replacePod(pod, { ...pod, ...likeAnother(pods, pod) });
  },
  relabelToUnknown: ({ pods }, index) => {
    const pod = at(pods, index);
    return replacePod(pod, { ...pod, labels: new Map([...pod.labels, ['changed', String(index)]]) });
  },
  removeAndAddPod: ({ pods }, index) => {
    const pod = at(pods, index);
    return [(table) => table.removePod(podKey(pod)), (table) => table.setPod(pod)];
  },
  changePolicy: ({ policies }, index) => {
    const policy = at(policies, index);
    const changed = withPort(policy, 20_000 + index);
    return [(table) => table.setPolicy(changed), (table) => table.setPolicy(policy)];
  },
  removeAndAddPolicy: ({ policies }, index) => {
    const policy = at(policies, index);
    return [(table) => table.removePolicy(podKey(policy)), (table) => table.setPolicy(policy)];
  },
  namespaceLabels: ({ namespaces }, index) => {
    const namespace = at([...namespaces.values()], index);
    const changed = { ...namespace, labels: new Map([...namespace.labels, ['team', `team-${index % 40}`]]) };
    return [(table) => table.setNamespace(changed), (table) => table.setNamespace(namespace)];
  },
};

/**
 * Times each kind of change, each undone again, in a table of the cluster.
 * @param isSame whether the answers of a buffer are those of the cluster. Throws if they are not after all changes.
 */
export function measureChanges(
  table: LiveTable,
  isSame: (buffer: SharedArrayBuffer) => boolean,
): Record<string, Times> {
  const { cluster } = table;
  invariant(isSame(table.buffer), 'the table is that of the cluster');
  const figures: Record<string, Times> = {};
  for (const [kind, pair] of Object.entries(KINDS)) {
    const times: number[] = [];
    for (let index = 0; index < CHANGES; index++) {
      for (const step of pair(cluster, index)) times.push(timeOf(() => step(table)));
    }
    figures[kind] = summary(times.slice(CHANGES / 5)); // the first warm up
  }
  invariant(isSame(table.buffer), 'every change is undone');
  return figures;
}

/** The item at a place that jumps about with the index. */
function at<T>(list: readonly T[], index: number): T {
  const found = list[(index * 7919) % list.length];
  invariant(found !== undefined, 'a workload has some of everything');
  return found;
}

function replacePod(pod: Pod, changed: Pod): Pair {
  return [(table) => table.setPod(changed), (table) => table.setPod(pod)];
}

/** What makes a pod the same to policies as another one of its namespace. */
function likeAnother(pods: readonly Pod[], { namespace, labels }: Pod): Pick<Pod, 'labels' | 'containers'> {
  const other = pods.find((each) => each.namespace === namespace && each.labels !== labels) ?? at(pods, 0);
  return { labels: other.labels, containers: other.containers };
}

function withPort(policy: NetworkPolicy, number: number): NetworkPolicy {
  const port = { kind: 'range', first: portOf(number), last: portOf(number) } as const;
  const change = (side: PolicySide): PolicySide =>
    side.kind === 'ignored'
      ? side
      : {
          kind: 'isolates',
          rules: side.rules.map((rule) => ({
            ...rule,
            ports: { kind: 'list', ports: [{ protocol: 'TCP', port, source: rule.source }] },
          })),
        };
  return { ...policy, ingress: change(policy.ingress), egress: change(policy.egress) };
}
