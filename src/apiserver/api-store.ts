import type { ApiObject } from './api-object.ts';
import { ObjectStore, type StoreOptions } from './object-store.ts';
import { servedKind } from './registry.ts';
import { SystemWrites, type ObjectReference } from './system-writes.ts';
import { UserWrites, type CommitHook } from './user-writes.ts';

const FIRST_NAMESPACES = ['default', 'kube-system'];

/** All objects of a lab, and the two ways to write them: what users ask for, and what the system makes of it. */
export class ApiStore {
  /** Reads, lists, watches. */
  readonly objects: ObjectStore;
  /** Writes as controllers, scheduler and kubelet would make them. */
  readonly system: SystemWrites;
  /** Writes of users, validated; what the HTTP server calls. */
  readonly users: UserWrites;

  private constructor(objects: ObjectStore) {
    this.objects = objects;
    this.system = new SystemWrites(objects);
    this.users = new UserWrites(objects);
    for (const name of FIRST_NAMESPACES) {
      if (this.get({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name })) continue;
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } };
      this.system.put(object, { durable: true });
    }
  }

  /** Opens the store with what its log has, and with the namespaces that every cluster has. */
  static async open(options: StoreOptions = {}): Promise<ApiStore> {
    return new ApiStore(await ObjectStore.open(options));
  }

  /** Sets what is asked before a user's write is stored and answered. */
  set onCommit(hook: CommitHook) {
    this.users.onCommit = hook;
  }

  /** The object of that name. @returns undefined if there is none. Throws TypeError for a kind that is not served. */
  get({ apiVersion, kind, namespace, name }: ObjectReference): ApiObject | undefined {
    return this.objects.get(servedKind(apiVersion, kind), namespace, name);
  }

  /** All objects of a kind, of one namespace or of all. Throws TypeError for a kind that is not served. */
  list(apiVersion: string, kind: string, namespace = ''): readonly ApiObject[] {
    return this.objects.list(servedKind(apiVersion, kind), { namespace }).items;
  }

  /** Writes what is left to write. */
  async close(): Promise<void> {
    await this.objects.close();
  }
}
