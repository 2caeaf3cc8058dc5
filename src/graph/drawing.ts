import { endKey } from './bundles.ts';
import type { ConnectionGraph, GraphEdge, GraphEnd, GraphNode } from './graph.ts';

/** A shape of a drawing. `style` says what it stands for; the own connections of senders are limited, too. */
export interface Shape {
  readonly id: string;
  readonly label: string;
  readonly style: 'isolated' | 'open' | 'sender' | 'openSender' | 'everyone' | 'outside' | 'hub';
}

/** A box around the shapes of a namespace. */
export interface Box {
  readonly id: string;
  readonly label: string;
  readonly shapes: readonly Shape[];
}

/** An arrow between two shapes. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  readonly isDotted: boolean;
  readonly isTwoWay: boolean;
}

/** A graph as drawing programs take it: everything has an id of letters and digits. `shapes` are in no box. */
export interface Drawing {
  readonly boxes: readonly Box[];
  readonly shapes: readonly Shape[];
  readonly arrows: readonly Arrow[];
  /** What the styles in it mean, in lines. */
  readonly legend: readonly string[];
}

/** What is to be drawn. */
export function drawingOf({ nodes, edges }: ConnectionGraph): Drawing {
  const ids = new Ids();
  const ends = new Map(edges.flatMap(({ from, to }) => [from, to]).map((end) => [endKey(end), end]));
  const placed = [
    ...nodes.map((node) => ({ namespace: node.namespace, shape: nodeShape(node, ids) })),
    ...[...ends.values()].flatMap((end) => specialShape(end, ids)),
  ];
  const [boxed, free] = [
    placed.filter(({ namespace }) => namespace !== ''),
    placed.filter(({ namespace }) => namespace === ''),
  ];
  const arrows = edges.map((edge) => arrowOf(edge, ids));
  return {
    boxes: [...Map.groupBy(boxed, ({ namespace }) => namespace)].map(([label, some]) => ({
      id: ids.of(`box ${label}`),
      label,
      shapes: some.map(({ shape }) => shape),
    })),
    shapes: free.map(({ shape }) => shape),
    arrows,
    legend: legendOf(new Set(placed.map(({ shape }) => shape.style)), arrows),
  };
}

function legendOf(styles: ReadonlySet<Shape['style']>, arrows: readonly Arrow[]): string[] {
  const isThick = styles.has('sender') || styles.has('openSender');
  const lines: readonly [occurs: boolean, line: string][] = [
    [styles.has('isolated') || styles.has('sender'), 'Green: takes only what arrows show.'],
    [isThick, 'Thick border: connects only to where arrows lead.'],
    [styles.has('open') || styles.has('openSender'), 'Dashed border: open to everybody.'],
    [arrows.some(({ isDotted }) => isDotted), 'Dotted arrow: only some of the pods.'],
    [styles.has('everyone') && isThick, 'Every pod: all but those with a thick border.'],
  ];
  return lines.flatMap(([occurs, line]) => (occurs ? [line] : []));
}

/** Short ids for names of any characters. */
class Ids {
  readonly #ids = new Map<string, string>();

  of(key: string): string {
    const id = this.#ids.get(key) ?? `n${this.#ids.size}`;
    this.#ids.set(key, id);
    return id;
  }
}

function nodeShape({ name, namespace, pods, isIsolated }: GraphNode, ids: Ids): Shape {
  // Within its box the namespace is clear, and the kind of a workload matters little.
  const short = namespace === '' ? name : (name.split('/').at(-1) ?? name);
  const label = pods === 1 ? short : `${short} (${pods})`;
  return { id: ids.of(endKey({ kind: 'node', name })), label, style: nodeStyle(isIsolated) };
}

function nodeStyle({ ingress, egress }: GraphNode['isIsolated']): Shape['style'] {
  if (egress) return ingress ? 'sender' : 'openSender';
  return ingress ? 'isolated' : 'open';
}

interface Placed {
  readonly namespace: string;
  readonly shape: Shape;
}

/** The shape of an end that is no node. */
function specialShape(end: GraphEnd, ids: Ids): Placed[] {
  const id = ids.of(endKey(end));
  switch (end.kind) {
    case 'node':
      return [];
    case 'everyone': {
      const label = end.namespace === '' ? 'every pod' : `every pod of ${end.namespace}`;
      return [{ namespace: end.namespace, shape: { id, label, style: 'everyone' } }];
    }
    case 'outside':
      return [{ namespace: '', shape: { id, label: end.addresses, style: 'outside' } }];
    case 'hub':
      return [{ namespace: '', shape: { id, label: end.ports, style: 'hub' } }];
  }
}

function arrowOf({ from, to, ports, isPartial, isTwoWay }: GraphEdge, ids: Ids): Arrow {
  return { from: ids.of(endKey(from)), to: ids.of(endKey(to)), label: ports, isDotted: isPartial, isTwoWay };
}
