import { fieldOf, isList, isObject, textOf } from './json.ts';
import { objectKey, type ManifestObject } from './manifest-object.ts';

// What Kubernetes' own controllers make, and for which workloads. What others make is nobody's here.
const MAKERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Pod', ['ReplicaSet', 'ReplicationController', 'StatefulSet', 'DaemonSet', 'Job']],
  ['ReplicaSet', ['Deployment']],
  ['Job', ['CronJob']],
]);

/** Which objects were made for which workloads, where both are there, as `ownerReferences` say. */
export class Controllers {
  readonly #objects: ReadonlyMap<string, ManifestObject>;
  readonly #busy: ReadonlySet<ManifestObject>;

  /** @param objects of a cluster; the last of a key counts. */
  constructor(objects: readonly ManifestObject[]) {
    this.#objects = new Map(objects.map((object) => [objectKey(object), object]));
    this.#busy = new Set([...this.#objects.values()].flatMap((object) => this.#controllerOf(object) ?? []));
  }

  /** Whether what the workload makes is there already, so that nothing is to be made up for it. */
  hasMade(workload: ManifestObject): boolean {
    return this.#busy.has(workload);
  }

  /** The workload that users know: a pod's Deployment, not its ReplicaSet. The object itself if it was made for none. */
  workloadOf(object: ManifestObject): ManifestObject {
    return this.#controllersOf(object).at(-1) ?? object;
  }

  /** The objects but for what was made for these workloads: where they are to be replaced, it does not stay. */
  without(workloads: readonly ManifestObject[]): ManifestObject[] {
    const gone = new Set(workloads.map(objectKey));
    const stays = (object: ManifestObject): boolean =>
      !this.#controllersOf(object).some((controller) => gone.has(objectKey(controller)));
    return [...this.#objects.values()].filter(stays);
  }

  /** The nearest first. */
  #controllersOf(object: ManifestObject): ManifestObject[] {
    const controller = this.#controllerOf(object);
    return controller ? [controller, ...this.#controllersOf(controller)] : [];
  }

  #controllerOf({ kind, namespace, value }: ManifestObject): ManifestObject | undefined {
    const metadata = fieldOf(value, 'metadata');
    const references = isObject(metadata) ? fieldOf(metadata, 'ownerReferences') : undefined;
    const objects = isList(references) ? references.filter(isObject) : [];
    const controller = objects.find((reference) => fieldOf(reference, 'controller') === true);
    if (!controller) return undefined;
    const key = { kind: textOf(controller, 'kind'), namespace, name: textOf(controller, 'name') };
    return MAKERS.get(kind)?.includes(key.kind) ? this.#objects.get(objectKey(key)) : undefined;
  }
}
