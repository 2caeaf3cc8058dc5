import type { PlainCluster } from '../builders/random-cluster.ts';

// A matchExpression is a tuple of key, operator and, with some operators, at least one value: only
// further values can go.
const OPERATORS: readonly unknown[] = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/**
 * A smaller cluster that still fails: whatever can be left out, an item or a field at a time, is.
 * Cost: one call of `fails` for each part, times the rounds until nothing more can go.
 */
export function shrink(cluster: PlainCluster, fails: (smaller: PlainCluster) => boolean): PlainCluster {
  for (const candidate of smaller(cluster)) {
    if (failsSoundly(candidate, fails)) return shrink(candidate, fails);
  }
  return cluster;
}

/** A candidate that cannot be built, or makes the comparison throw, shows another fault than the one looked for. */
function failsSoundly(candidate: PlainCluster, fails: (smaller: PlainCluster) => boolean): boolean {
  try {
    return fails(candidate);
  } catch {
    return false;
  }
}

/** Every cluster with one part less; large parts come first. */
function* smaller(cluster: PlainCluster): Generator<PlainCluster> {
  for (const pods of without(cluster.pods)) yield { ...cluster, pods };
  for (const policies of without(cluster.policies)) yield { ...cluster, policies };
  for (const namespaces of without(cluster.namespaces)) yield { ...cluster, namespaces };
}

/** Every value with one item or field less, at any depth. */
function* without<T>(value: T): Generator<T> {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const first = OPERATORS.includes(items[1]) ? 3 : 0;
    for (let at = first; at < items.length; at += 1) yield items.toSpliced(at, 1) as T;
    for (let at = first; at < items.length; at += 1) {
      for (const item of without(items[at])) yield items.with(at, item) as T;
    }
  } else if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value);
    for (const [key] of fields) yield Object.fromEntries(fields.filter(([name]) => name !== key)) as T;
    for (const [key, field] of fields) {
      for (const less of without<unknown>(field)) yield { ...value, [key]: less };
    }
  }
}
