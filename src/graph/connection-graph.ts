import type { Cluster } from '../model/cluster.ts';
import { portText } from '../expect/served-ports.ts';
import { bundled } from './bundles.ts';
import type { ConnectionGraph, GraphEnd, Grouping, Reach } from './graph.ts';
import { GraphView, type Group } from './graph-view.ts';
import { OutsideView } from './outside-view.ts';

/** The graph of a cluster. Cost: pairs of pods times the ports that they serve, and pods times the blocks of policies. */
export function connectionGraph(cluster: Cluster, grouping: Grouping): ConnectionGraph {
  const view = new GraphView(cluster, grouping);
  const outside = new OutsideView(view);
  const inside = view.groups.flatMap((to) => reachesInto(view, to));
  const crossing = view.groups.flatMap((group) => [...outside.into(group), ...outside.outOf(group)]);
  return { nodes: view.groups.map(({ node }) => node), edges: bundled([...inside, ...crossing]) };
}

/** What reaches the group's ports, where a policy has a say in it. */
function reachesInto(view: GraphView, to: Group): Reach[] {
  const sources = view.groups
    .filter((group) => group !== to && (to.isTouched.ingress || group.isTouched.egress))
    .flatMap((group) => {
      const reached = view.reached(group, to);
      const ports = reached.map(({ spec }) => portText(spec)).join(', ');
      return ports === '' ? [] : [{ group, ports, isPartial: reached.some(({ isPartial }) => isPartial) }];
    });
  const alike = Map.groupBy(sources, ({ ports, isPartial }) => JSON.stringify([ports, isPartial]));
  return [...alike.values()].flatMap((some) => {
    const [first] = some;
    if (!first) return [];
    const from = together(
      view,
      some.map(({ group }) => group),
      to,
    );
    return [{ from, to: endOf(to), ports: first.ports, isPartial: first.isPartial }];
  });
}

/**
 * Few ends for many groups: everyone, everyone of a namespace, or each. Those whose pods are all isolated for
 * egress are always named: everyone is whoever may send to anybody.
 */
function together({ groups }: GraphView, sources: readonly Group[], to: Group): GraphEnd[] {
  const has = new Set([...sources, to]);
  const free = groups.filter(({ node }) => !node.isIsolated.egress);
  const named = sources.filter(({ node }) => node.isIsolated.egress).map(endOf);
  const isWhole = (some: readonly Group[]): boolean => some.length > 2 && some.every((group) => has.has(group));
  if (isWhole(free)) return [{ kind: 'everyone', namespace: '' }, ...named];
  const open = sources.filter(({ node }) => !node.isIsolated.egress);
  const parts = [...Map.groupBy(open, ({ node }) => node.namespace)].flatMap(([namespace, some]): GraphEnd[] => {
    const all = free.filter(({ node }) => node.namespace === namespace);
    return namespace !== '' && isWhole(all) ? [{ kind: 'everyone', namespace }] : some.map(endOf);
  });
  return [...parts, ...named];
}

function endOf({ node }: Group): GraphEnd {
  return { kind: 'node', name: node.name };
}
