import type { CniName } from '../../src/cni/profile.ts';
import { ApiStore } from '../../src/apiserver/api-store.ts';
import { textAt, type ApiObject } from '../../src/apiserver/api-object.ts';
import type { StoreOptions } from '../../src/apiserver/object-store.ts';
import { resourceOfKind } from '../../src/apiserver/registry.ts';
import type { WriteTarget } from '../../src/apiserver/object-draft.ts';
import type { Backend, ClusterUpdate, PodReport } from '../../src/lab/control-plane/backend.ts';
import { ControlPlane } from '../../src/lab/control-plane/control-plane.ts';
import type { ChangeReport } from '../../src/lab/lab-client.ts';
import type { JsonObject } from '../../src/manifest/json.ts';
import { podKey } from '../../src/model/pod.ts';
import { parseIp } from '../../src/net/ip.ts';
import { given } from '../builders/given.ts';

/** A backend that writes down what it is asked to enforce. Its pods run and are ready at once, unless told otherwise. */
class RecordingBackend implements Backend {
  readonly updates: ClusterUpdate[] = [];
  readonly reports = new Map<string, PodReport | undefined>();
  /** What happens while an update is put in force. */
  onEnforce: (update: ClusterUpdate) => void | Promise<void> = () => undefined;

  async enforce(update: ClusterUpdate): Promise<void> {
    this.updates.push(update);
    await this.onEnforce(update);
  }

  reportOf(key: string): PodReport | undefined {
    return this.reports.has(key) ? this.reports.get(key) : report();
  }

  /** Forgets the updates so far. @returns them. */
  taken(): ClusterUpdate[] {
    return this.updates.splice(0);
  }
}

/** What a pod says that runs and is ready, but for what is given. */
export function report(parts: Partial<PodReport> = {}): PodReport {
  const running = {
    phase: 'Running',
    ready: true,
    restarts: 0,
    reason: '',
    message: '',
    exitCodes: new Map(),
  } as const;
  return { ...running, containers: { ready: 1, total: 1 }, startedAt: new Date('2026-01-02T03:04:05Z'), ...parts };
}

/** A control plane without a lab around it. */
export class PlaneFixture {
  readonly backend = new RecordingBackend();
  readonly plane: ControlPlane;
  readonly errors: unknown[] = [];

  private constructor(store: ApiStore, givesPodAddresses: boolean, cni: CniName) {
    const addresses = ['172.18.0.2', 'fd00:172:18::2'].map((text) => given(parseIp(text), text));
    this.plane = new ControlPlane({
      name: 'test',
      store,
      backend: this.backend,
      node: { name: 'node', addresses },
      givesPodAddresses,
      cni,
      onError: (error) => this.errors.push(error),
    });
  }

  static async start(
    manifests: readonly object[] = [],
    {
      givesPodAddresses = true,
      cni = 'reference',
      ...options
    }: StoreOptions & { givesPodAddresses?: boolean; cni?: CniName } = {},
  ): Promise<PlaneFixture> {
    const fixture = new PlaneFixture(await ApiStore.open(options), givesPodAddresses, cni);
    await fixture.plane.start([file(manifests)]);
    return fixture;
  }

  /** Applies manifests as the command line does. */
  apply(...manifests: readonly object[]): Promise<ChangeReport> {
    return this.plane.apply([file(manifests)]);
  }

  /** Creates an object as kubectl does. */
  create(object: JsonObject): Promise<ApiObject> {
    const target = { ...this.target(textAt(object, 'kind'), ''), subresource: '' as const };
    return this.plane.store.users.create(target, object, WRITE);
  }

  /** Changes an object as kubectl does. */
  update(kind: string, name: string, change: (object: ApiObject) => JsonObject): Promise<ApiObject> {
    return this.plane.store.users.update(this.target(kind, name), change, WRITE);
  }

  /** Deletes an object as kubectl does. */
  async delete(kind: string, name: string): Promise<void> {
    const options = { dryRun: false, orphan: false, uid: '', resourceVersion: '' };
    await this.plane.store.users.remove(this.target(kind, name), options);
  }

  /** The objects of a kind in the namespace default. */
  objects(kind: string): readonly ApiObject[] {
    const { resource } = this.target(kind, '');
    return this.plane.store.objects.list(resource, { namespace: 'default' }).items;
  }

  object(kind: string, name: string): ApiObject {
    return given(
      this.objects(kind).find((one) => one.metadata.name === name),
      `there is no ${kind} ${name}`,
    );
  }

  /** Names of the pods in the namespace default. */
  pods(): string[] {
    return this.objects('Pod').map(({ metadata }) => metadata.name);
  }

  /** Has the backend say something new of a pod, and waits until it is stored. */
  async say(name: string, parts: Partial<PodReport>): Promise<void> {
    const key = podKey({ namespace: 'default', name });
    this.backend.reports.set(key, report(parts));
    this.plane.podChanged(key);
    await this.plane.reportsStored();
  }

  target(kind: string, name: string): WriteTarget {
    const versions = ['v1', 'apps/v1', 'batch/v1', 'networking.k8s.io/v1', 'discovery.k8s.io/v1', 'netpol-lab.dev/v1'];
    const resource = versions.map((version) => resourceOfKind(version, kind)).find((found) => found !== undefined);
    return { resource: given(resource, kind), namespace: 'default', name, subresource: '' };
  }
}

const WRITE = {
  dryRun: false,
  fieldValidation: 'Strict',
  fieldManager: 'kubectl-client-side-apply',
  warn: () => undefined,
} as const;

function file(objects: readonly object[]): { path: string; text: string } {
  return { path: 'test.yaml', text: objects.map((object) => JSON.stringify(object)).join('\n---\n') };
}
