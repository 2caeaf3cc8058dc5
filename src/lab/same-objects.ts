import { isDeepStrictEqual } from 'node:util';
import type { Cluster } from '../model/cluster.ts';
import { podKey } from '../model/pod.ts';

/**
 * The cluster, with the objects of an earlier one in the place of those that are equal to them, as
 * manifests that are read again make other objects of the same: LiveTable passes over what is the same.
 * Cost: a comparison of each object.
 */
export function withSameObjects(cluster: Cluster, earlier: Cluster): Cluster {
  const namespaces = [...cluster.namespaces].map(
    ([name, each]) => [name, same(each, earlier.namespaces.get(name))] as const,
  );
  return {
    ...cluster,
    namespaces: new Map(namespaces),
    pods: sameByName(cluster.pods, earlier.pods),
    policies: sameByName(cluster.policies, earlier.policies),
  };
}

function sameByName<T extends { readonly namespace: string; readonly name: string }>(
  objects: readonly T[],
  earlier: readonly T[],
): T[] {
  const known = new Map(earlier.map((each) => [podKey(each), each]));
  return objects.map((each) => same(each, known.get(podKey(each))));
}

function same<T>(object: T, earlier: T | undefined): T {
  return earlier !== undefined && isDeepStrictEqual(object, earlier) ? earlier : object;
}
