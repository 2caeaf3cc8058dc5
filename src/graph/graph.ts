import type { Pod } from '../model/pod.ts';

/** A workload, or a namespace, of a graph. */
export interface GraphNode {
  readonly name: string;
  /** The box that it is in; empty for none. */
  readonly namespace: string;
  readonly pods: number;
  /** Whether policies isolate all of its pods. */
  readonly isIsolated: { readonly ingress: boolean; readonly egress: boolean };
}

/**
 * One end of an edge. `everyone` is every pod, or of a namespace if that is not empty; `outside` are
 * addresses outside the cluster; a `hub` is where edges of many to many meet.
 */
export type GraphEnd =
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'everyone'; readonly namespace: string }
  | { readonly kind: 'outside'; readonly addresses: string }
  | { readonly kind: 'hub'; readonly number: number; readonly ports: string };

/** Connections that rules allow. `isPartial`: from or to some of the pods only. */
export interface GraphEdge {
  readonly from: GraphEnd;
  readonly to: GraphEnd;
  /** Empty at a hub, which has them. */
  readonly ports: string;
  readonly isPartial: boolean;
  readonly isTwoWay: boolean;
}

/**
 * Who reaches whom, as far as a policy has a say in it: pods that no policy isolates take connections from
 * everybody, and make them to everybody, without an edge. Edges within a node are left out.
 */
export interface ConnectionGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** How pods are put together: by workload, in a box for each namespace, or by namespace. */
export interface Grouping {
  readonly nameOf: (pod: Pod) => string;
  readonly namespaceOf: (pod: Pod) => string;
}

/** Connections from some ends to one node, alike. */
export interface Reach {
  readonly from: readonly GraphEnd[];
  readonly to: GraphEnd;
  readonly ports: string;
  readonly isPartial: boolean;
}
