import { isDeepStrictEqual } from 'node:util';
import type { ManifestObject } from '../manifest/manifest.ts';
import type { Cluster, Namespace } from '../model/cluster.ts';
import { podKey, type Pod } from '../model/pod.ts';
import type { Labels } from '../model/selector.ts';
import type { ChangeResult } from './lab-client.ts';
import { objectKey } from './lab-objects.ts';

/** Changes of labels that no manifest holds; null removes a label. */
type LabelChanges = Readonly<Record<string, string | null>>;

/** What a lab was told to hold: objects as written, and labels set since. Immutable; each change makes a new one. */
export class ObjectStore {
  readonly #objects: ReadonlyMap<string, ManifestObject>;
  readonly #labels: ReadonlyMap<string, LabelChanges>;

  constructor(
    objects: ReadonlyMap<string, ManifestObject> = new Map(),
    labels: ReadonlyMap<string, LabelChanges> = new Map(),
  ) {
    this.#objects = objects;
    this.#labels = labels;
  }

  /** The object of that kind and name as it was written. @returns undefined if there is none. */
  get(target: {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  }): ManifestObject | undefined {
    return this.#objects.get(objectKey(target));
  }

  /** All objects, in the order in which they were first applied. */
  get objects(): readonly ManifestObject[] {
    return [...this.#objects.values()];
  }

  /** The store with these objects added or replaced. Labels that they name win over labels set earlier. */
  apply(added: readonly ManifestObject[]): { readonly store: ObjectStore; readonly results: readonly ChangeResult[] } {
    const objects = new Map(this.#objects);
    const labels = new Map(this.#labels);
    const results = added.map((object): ChangeResult => {
      const key = objectKey(object);
      const before = objects.get(key);
      const named = labelTarget(object.kind, object.namespace, object.name);
      const set = labels.get(named);
      const kept = set ? without(set, Object.keys(labelsOf(object))) : {};
      const relabelled = set !== undefined && Object.keys(kept).length < Object.keys(set).length;
      if (relabelled) labels.set(named, kept);
      objects.set(key, object);
      const same = before !== undefined && !relabelled && isDeepStrictEqual(before.value, object.value);
      return resultOf(object, before === undefined ? 'created' : same ? 'unchanged' : 'configured');
    });
    return { store: new ObjectStore(objects, labels), results };
  }

  /** The store without these objects; a deleted namespace takes what is in it along. `missing` were not there. */
  delete(gone: readonly { readonly kind: string; readonly namespace: string; readonly name: string }[]): {
    readonly store: ObjectStore;
    readonly results: readonly ChangeResult[];
    readonly missing: readonly string[];
  } {
    const objects = new Map(this.#objects);
    const labels = new Map(this.#labels);
    const results: ChangeResult[] = [];
    const missing: string[] = [];
    for (const target of gone) {
      const object = objects.get(objectKey(target));
      if (!object) {
        missing.push(`${target.kind} ${target.namespace === '' ? target.name : podKey(target)}`);
        continue;
      }
      objects.delete(objectKey(target));
      labels.delete(labelTarget(target.kind, target.namespace, target.name));
      results.push(resultOf(object, 'deleted'));
      if (target.kind !== 'Namespace') continue;
      for (const [key, inside] of objects) if (inside.namespace === target.name) objects.delete(key);
    }
    return { store: new ObjectStore(objects, labels), results, missing };
  }

  /** The store with labels of a pod or a namespace changed. `kind` is Pod or Namespace. */
  label(
    target: { readonly kind: string; readonly namespace: string; readonly name: string },
    changes: LabelChanges,
  ): ObjectStore {
    const key = labelTarget(target.kind, target.namespace, target.name);
    return new ObjectStore(this.#objects, new Map([...this.#labels, [key, { ...this.#labels.get(key), ...changes }]]));
  }

  /** The cluster with the labels that were set since its manifests were written. */
  relabel(cluster: Cluster): Cluster {
    if (this.#labels.size === 0) return cluster;
    const pods = cluster.pods.map((pod): Pod => {
      const changes = this.#labels.get(labelTarget('Pod', pod.namespace, pod.name));
      return changes ? { ...pod, labels: changed(pod.labels, changes) } : pod;
    });
    const namespaces = new Map(
      [...cluster.namespaces].map(([name, namespace]): [string, Namespace] => {
        const changes = this.#labels.get(labelTarget('Namespace', '', name));
        return [name, changes ? { ...namespace, labels: changed(namespace.labels, changes) } : namespace];
      }),
    );
    return { ...cluster, pods, namespaces };
  }
}

function labelTarget(kind: string, namespace: string, name: string): string {
  return `${kind}/${podKey({ namespace, name })}`;
}

function resultOf(object: ManifestObject, action: ChangeResult['action']): ChangeResult {
  return { kind: object.kind, namespace: object.namespace, name: object.name, action };
}

function labelsOf(object: ManifestObject): Readonly<Record<string, unknown>> {
  const metadata = object.value.metadata;
  const labels = isRecord(metadata) ? metadata.labels : undefined;
  return isRecord(labels) ? labels : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function without(changes: LabelChanges, keys: readonly string[]): LabelChanges {
  return Object.fromEntries(Object.entries(changes).filter(([key]) => !keys.includes(key)));
}

function changed(labels: Labels, changes: LabelChanges): Labels {
  const result = new Map(labels);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) result.delete(key);
    else result.set(key, value);
  }
  return result;
}
