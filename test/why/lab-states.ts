import { CLUSTER_DNS } from '../../src/lab/control-plane/cluster-dns.ts';
import { loadLab, type Lab } from '../../src/lab/lab-file.ts';
import { readLabManifests } from '../../src/lab/lab-manifests.ts';
import type { LabStep } from '../../src/lab/lab-schema.ts';
import { AddressPool } from '../../src/manifest/address-pool.ts';
import { buildCluster } from '../../src/manifest/build-cluster.ts';
import { isObject } from '../../src/manifest/json.ts';
import type { ManifestObject } from '../../src/manifest/manifest-object.ts';
import { parseManifests, type ManifestFile } from '../../src/manifest/manifest.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { parseEndpoint, type Endpoint } from '../../src/model/endpoint.ts';
import { podKey } from '../../src/model/pod.ts';
import { given } from '../builders/given.ts';

/** What a lab has after a step, as far as its manifests tell; `files` are all that it is made of. */
export interface LabState {
  readonly lab: Lab;
  /** From 1; 0 is before the first. */
  readonly step: number;
  readonly objects: readonly ManifestObject[];
  readonly files: readonly ManifestFile[];
  /** Keys of pods that have finished by then. */
  readonly finished: ReadonlySet<string>;
}

/** All states of a lab, by its changes alone: nothing runs. */
export async function labStates(folder: string): Promise<LabState[]> {
  const lab = await loadLab(folder);
  const files = [...(await readLabManifests(lab.manifests)), CLUSTER_DNS];
  const objects = new Map(parseManifests(files).objects.map((object) => [keyOf(object), object]));
  const finished = new Set<string>();
  const states: LabState[] = [];
  const keep = (step: number): void => {
    states.push({ lab, step, objects: [...objects.values()], files: [...files], finished: new Set(finished) });
  };
  keep(0);
  for (const [index, step] of lab.steps.entries()) {
    const applied = await readLabManifests(step.apply);
    files.push(...applied.filter(({ path }) => !files.some((known) => known.path === path)));
    for (const object of parseManifests(applied).objects) objects.set(keyOf(object), object);
    const gone = parseManifests(await readLabManifests(step.delete)).objects;
    for (const object of gone) objects.delete(keyOf(object));
    for (const change of step.label) label(objects, change);
    for (const each of step.expect) if (each.kind === 'pod' && each.is === 'succeeded') finished.add(podKey(each.pod));
    keep(index + 1);
  }
  return states;
}

/** The cluster that a state has with these policies besides. */
export function clusterOf({ objects, finished }: LabState, more: readonly ManifestObject[] = []): Cluster {
  const { cluster, issues } = buildCluster([...objects, ...more], new AddressPool(), finished);
  if (issues.length > 0) throw new Error(JSON.stringify(issues));
  return cluster;
}

/** Whom the lab's steps let connect: pods, workloads and addresses. */
export function clientsOf({ steps }: Lab): Endpoint[] {
  const texts = steps.flatMap(({ start, expect }) => [
    ...start.map(({ pod }) => `${pod.namespace}/${pod.pod}`),
    ...expect.flatMap((each) => {
      if (each.kind === 'connect') return [each.from];
      return each.kind === 'run' ? [`${each.pod.namespace}/${each.pod.pod}`] : [];
    }),
  ]);
  return [...new Set(texts)].map((text) => given(parseEndpoint(text), text));
}

function keyOf({ kind, namespace, name }: Pick<ManifestObject, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace}/${name}`;
}

function label(objects: Map<string, ManifestObject>, change: LabStep['label'][number]): void {
  const object = objects.get(keyOf(change));
  if (!object) return; // a pod of a workload: its name is the lab's own
  const metadata = isObject(object.value.metadata) ? object.value.metadata : {};
  const labels = { ...(isObject(metadata.labels) ? metadata.labels : {}), ...change.labels };
  const kept = Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== null));
  objects.set(keyOf(change), { ...object, value: { ...object.value, metadata: { ...metadata, labels: kept } } });
}
