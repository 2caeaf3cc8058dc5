import { at, numberAt, objectAt, sameJson, uidOf, type ApiObject } from '../../apiserver/api-object.ts';
import type { ApiStore } from '../../apiserver/api-store.ts';
import type { ObjectReference, SystemObject } from '../../apiserver/system-writes.ts';
import type { JsonObject } from '../../manifest/json.ts';
import { SCHEMAS } from '../../manifest/known-kinds.ts';
import type { Pod } from '../../model/pod.ts';
import { objectKey, objectsOfKind, type LabView } from '../lab-objects.ts';
import { endpointObjects, nodeObject } from './api-objects.ts';

// Pods last: their owners are to be there.
const KINDS = [...Object.keys(SCHEMAS).filter((kind) => kind !== 'Pod'), 'Pod'];
const OBSERVED_KINDS = ['DaemonSet', 'Deployment', 'ReplicaSet', 'ReplicationController', 'StatefulSet'];

/** Writes to the API's store what a lab holds, as controllers, scheduler and kubelet would. */
export class LabMirror {
  readonly #store: ApiStore;
  /** What the lab last said of each object: what it says again needs no writing. */
  readonly #said = new Map<string, SystemObject>();
  #held: ReadonlySet<string> = new Set();

  constructor(store: ApiStore) {
    this.#store = store;
  }

  /** Leaves objects of these keys alone, and the pods of such owners: a user's write of them is on its way to the store. */
  hold(keys: ReadonlySet<string>): void {
    this.#held = keys;
  }

  /** Ends that hold, unless a later one has taken its place. */
  release(keys: ReadonlySet<string>): void {
    if (this.#held === keys) this.#held = new Set();
  }

  /** Makes the store say what the lab holds now. */
  update(view: LabView): void {
    const objects = objectsOf(view);
    const owners = new Map(view.cluster.pods.map((pod) => [objectKey({ ...pod, kind: 'Pod' }), ownerOf(pod)]));
    for (const [key, object] of objects) {
      const owner = owners.get(key);
      const ownerKey = owner && objectKey(owner);
      if (this.#held.has(key) || (ownerKey !== undefined && this.#held.has(ownerKey))) continue;
      const references = owner && objects.get(objectKey(owner));
      this.#put(key, object, references && this.#stored(references));
    }
    for (const [key, object] of this.#said) {
      if (objects.has(key) || this.#held.has(key)) continue;
      this.#said.delete(key);
      this.#store.system.remove(referenceTo(object));
    }
  }

  #put(key: string, object: SystemObject, owner: ApiObject | undefined): void {
    const stored = this.#stored(object);
    const ownerReferences = owner ? [ownerReference(owner)] : undefined;
    const said = ownerReferences ? { ...object, metadata: { ...object.metadata, ownerReferences } } : object;
    if (stored && sameJson(this.#said.get(key), said)) return;
    this.#said.set(key, said);
    const generation = numberAt(stored, 'metadata', 'generation');
    const written = this.#store.system.put(withStoredParts(said, stored, generation));
    const now = numberAt(written, 'metadata', 'generation');
    if (now !== generation) this.#store.system.put(withStoredParts(said, written, now));
  }

  #stored(object: SystemObject): ApiObject | undefined {
    return this.#store.get(referenceTo(object));
  }
}

/** By objectKey, in the order in which they are to be written. */
function objectsOf(view: LabView): ReadonlyMap<string, SystemObject> {
  const { services, pods } = view.cluster;
  const nodeAddresses = pods.find((pod) => pod.nodeAddresses.length > 0)?.nodeAddresses ?? [];
  const all = [
    // They are JSON, which LabObject's type does not say.
    ...KINDS.flatMap((kind) => objectsOfKind(view, kind) as unknown as SystemObject[]),
    nodeObject(view, nodeAddresses),
    ...services.flatMap((service) => endpointObjects(view, service)),
  ];
  return new Map(all.map((object) => [objectKey(referenceTo(object)), object]));
}

/** What has made a pod; undefined for one of its own. */
function ownerOf({ namespace, owner }: Pod): { kind: string; namespace: string; name: string } | undefined {
  return owner.kind === 'Pod' ? undefined : { ...owner, namespace };
}

function ownerReference(owner: ApiObject): JsonObject {
  const { apiVersion, kind } = owner;
  const { name } = owner.metadata;
  return { apiVersion, kind, name, uid: uidOf(owner), controller: true, blockOwnerDeletion: true };
}

/** The object with what only the store knows: who wrote what, the generation that the lab has seen, a first status. */
function withStoredParts(object: SystemObject, stored: ApiObject | undefined, generation: number): SystemObject {
  const managedFields = at(stored, 'metadata', 'managedFields');
  const status = at(object, 'status') ?? at(stored, 'status');
  const observed = OBSERVED_KINDS.includes(object.kind) ? { observedGeneration: generation } : {};
  return {
    ...object,
    ...(status === undefined ? {} : { status: { ...objectAt({ status }, 'status'), ...observed } }),
    metadata: { ...object.metadata, ...(managedFields === undefined ? {} : { managedFields }) },
  };
}

function referenceTo({ apiVersion, kind, metadata }: SystemObject): ObjectReference {
  const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : '';
  return { apiVersion, kind, namespace, name: metadata.name };
}
