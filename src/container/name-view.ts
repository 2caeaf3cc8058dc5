import { listAt, textAt } from '../apiserver/api-object.ts';
import type { KubeObject } from '../kube/list-watch.ts';
import type { JsonObject } from '../manifest/json.ts';
import type { Cluster, Namespace } from '../model/cluster.ts';
import { podKey, type Pod } from '../model/pod.ts';
import type { Service } from '../model/service.ts';
import { buildKubeObject, keyOf } from './followed.ts';

/** The resources that names come from. */
export type NamedResource = 'namespaces' | 'pods' | 'services';

/** The cluster as far as it has names. An object that cannot be understood has none. */
export class NameView {
  readonly #namespaces = new Map<string, Namespace>();
  readonly #pods = new Map<string, Pod>();
  readonly #services = new Map<string, Service>();
  readonly #ready = new Set<string>();

  get cluster(): Cluster {
    const namespaces = new Map([...this.#namespaces.values()].map((each) => [each.name, each]));
    return { namespaces, pods: [...this.#pods.values()], services: [...this.#services.values()], policies: [] };
  }

  /** Whether the API says that the pod is ready. */
  readonly isReady = (pod: Pod): boolean => this.#ready.has(podKey(pod));

  replace(name: NamedResource, objects: readonly KubeObject[]): void {
    this.#mapOf(name).clear();
    for (const object of objects) this.put(name, object);
  }

  put(name: NamedResource, object: KubeObject): void {
    const key = keyOf(object);
    const built = buildKubeObject(object);
    switch (built.kind) {
      case 'namespace':
        this.#namespaces.set(key, built.namespace);
        break;
      case 'service':
        this.#services.set(key, built.service);
        break;
      case 'pod':
        this.#pods.set(key, built.pod);
        if (saysReady(object)) this.#ready.add(key);
        else this.#ready.delete(key);
        break;
      default:
        this.#mapOf(name).delete(key);
    }
  }

  remove(name: NamedResource, object: KubeObject): void {
    this.#mapOf(name).delete(keyOf(object));
  }

  #mapOf(name: NamedResource): Map<string, unknown> {
    return { namespaces: this.#namespaces, pods: this.#pods, services: this.#services }[name];
  }
}

function saysReady(object: KubeObject): boolean {
  const conditions = listAt(object as unknown as JsonObject, 'status', 'conditions');
  return conditions.some((each) => textAt(each, 'type') === 'Ready' && textAt(each, 'status') === 'True');
}
