import type { GraphEdge, GraphEnd, Reach } from './graph.ts';

/** The same key for the same end. */
export function endKey(end: GraphEnd): string {
  switch (end.kind) {
    case 'node':
      return `node ${end.name}`;
    case 'everyone':
      return `everyone ${end.namespace}`;
    case 'outside':
      return `outside ${end.addresses}`;
    case 'hub':
      return `hub ${end.number}`;
  }
}

/** A connection of one end to another. */
interface Pair {
  readonly from: GraphEnd;
  readonly to: GraphEnd;
}

/** Pairs of each of some sources with each of some destinations. */
interface Rectangle {
  readonly sources: readonly GraphEnd[];
  readonly targets: readonly GraphEnd[];
}

/** Edges for all reaches; where many sources reach many destinations alike, by way of a hub, which takes fewer. */
export function bundled(reaches: readonly Reach[]): GraphEdge[] {
  const alike = Map.groupBy(reaches, ({ ports, isPartial }) => JSON.stringify([ports, isPartial]));
  let hubs = 0;
  return [...alike.values()].flatMap((some) => {
    const pairs = some.flatMap(({ from, to }) => from.map((source) => ({ from: source, to })));
    const { ports = '', isPartial = false } = some[0] ?? {};
    return fewest(rectangles(pairs, 'from', 'to'), rectangles(pairs, 'to', 'from')).flatMap((rectangle) =>
      isHubWorthIt(rectangle)
        ? hubEdges(rectangle, { number: (hubs += 1), ports, isPartial })
        : directPairs(rectangle).map((pair): GraphEdge => ({ ...pair, ports, isPartial, isTwoWay: false })),
    );
  });
}

/** The pairs, those put together whose ends on one side have the same ends on the other. */
function rectangles(pairs: readonly Pair[], side: keyof Pair, other: keyof Pair): Rectangle[] {
  const rows = [...Map.groupBy(pairs, (pair) => endKey(pair[side])).values()].flatMap((some) => {
    const [first] = some;
    const others = some.map((pair) => pair[other]);
    return first ? [{ end: first[side], others, key: keyOf(others), wideKey: keyOf([...others, first[side]]) }] : [];
  });
  // An end may count as its own if that makes it like others: edges within a node are not drawn.
  const wide = Map.groupBy(rows, ({ wideKey }) => wideKey);
  const isShared = ({ wideKey }: (typeof rows)[number]): boolean => (wide.get(wideKey)?.length ?? 0) > 1;
  return [...Map.groupBy(rows, (row) => (isShared(row) ? row.wideKey : row.key)).values()].map((some) => {
    const ends = some.map(({ end }) => end);
    const others = [...new Map(some.flatMap((row) => row.others).map((end) => [endKey(end), end])).values()];
    return side === 'from' ? { sources: ends, targets: others } : { sources: others, targets: ends };
  });
}

function fewest(one: readonly Rectangle[], other: readonly Rectangle[]): readonly Rectangle[] {
  const [first, second] = [one, other].map((some) => some.reduce((sum, each) => sum + edgeCount(each), 0));
  return (first ?? 0) <= (second ?? 0) ? one : other;
}

function edgeCount(rectangle: Rectangle): number {
  const { sources, targets } = rectangle;
  return isHubWorthIt(rectangle) ? sources.length + targets.length : directPairs(rectangle).length;
}

function isHubWorthIt({ sources, targets }: Rectangle): boolean {
  return sources.length * targets.length > sources.length + targets.length + 1;
}

function directPairs({ sources, targets }: Rectangle): Pair[] {
  return sources.flatMap((from) => targets.flatMap((to) => (endKey(from) === endKey(to) ? [] : [{ from, to }])));
}

function hubEdges(
  { sources, targets }: Rectangle,
  { number, ports, isPartial }: { number: number; ports: string; isPartial: boolean },
): GraphEdge[] {
  const hub: GraphEnd = { kind: 'hub', number, ports };
  const common = { ports: '', isPartial };
  const receiving = new Set(targets.map(endKey));
  const sending = new Set(sources.map(endKey));
  return [
    ...sources.map((from) => ({ ...common, from, to: hub, isTwoWay: receiving.has(endKey(from)) })),
    ...targets.flatMap((to) => (sending.has(endKey(to)) ? [] : [{ ...common, from: hub, to, isTwoWay: false }])),
  ];
}

function keyOf(ends: readonly GraphEnd[]): string {
  return JSON.stringify([...new Set(ends.map(endKey))].sort());
}
