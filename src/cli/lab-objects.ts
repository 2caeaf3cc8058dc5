import type { ControlClient } from '../lab/control-client.ts';
import type { LabClient, LabObject } from '../lab/lab-client.ts';
import { AddressPool } from '../manifest/address-pool.ts';
import { buildCluster } from '../manifest/build-cluster.ts';
import type { JsonObject } from '../manifest/json.ts';
import { parseManifests, type ManifestFile } from '../manifest/manifest.ts';
import type { ManifestObject } from '../manifest/manifest-object.ts';
import type { Cluster } from '../model/cluster.ts';
import { podKey } from '../model/pod.ts';
import { parseIp } from '../net/ip.ts';

/** What a running lab holds, as manifests: its pods one by one, as they are, in place of workloads. */
export interface LabManifests {
  readonly objects: readonly ManifestObject[];
  /** Keeps the addresses of its pods for them. */
  reserve(pool: AddressPool): void;
  /** Its objects but for the pods of workloads that are among these. */
  without(workloads: readonly ManifestObject[]): readonly ManifestObject[];
  /** The cluster with its pods owned by the lab's workloads. */
  owned(cluster: Cluster): Cluster;
}

const KINDS = ['Namespace', 'Service', 'NetworkPolicy', 'Pod'];

/** What a running lab holds, as a manifest to start another one from: its pods have the same names and addresses. */
export async function labCopy(client: ControlClient): Promise<ManifestFile> {
  const items = await Promise.all(KINDS.map((kind) => client.objects(kind)));
  const objects = items.flat().map((object) => ({ ...object, metadata: unowned(object.metadata) }));
  return { path: `lab ${client.name}`, text: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) };
}

/** Without its workload, which is not copied. */
function unowned({ ownerReferences: _, ...metadata }: LabObject['metadata']): JsonObject {
  return metadata;
}

/** Asks a running lab for all that decides verdicts. */
export async function labObjects(client: LabClient): Promise<LabManifests> {
  const { pods, name: lab } = await client.status();
  const items = (await Promise.all(KINDS.map((kind) => client.objects(kind)))).flat();
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const { objects } = parseManifests([{ path: `lab ${lab}`, text }]);
  const owners = new Map(pods.map((pod) => [podKey(pod), pod.owner]));
  return {
    objects,
    reserve: (pool) => {
      for (const pod of pods) {
        const addresses = pod.addresses.flatMap((address) => parseIp(address) ?? []);
        pool.reservePod(podKey(pod), addresses);
      }
    },
    without: (workloads) => {
      const replaced = new Set(workloads.map((object) => `${object.kind} ${podKey(object)}`));
      const isKept = (object: ManifestObject): boolean => {
        const owner = object.kind === 'Pod' ? owners.get(podKey(object)) : undefined;
        return !owner || !replaced.has(`${owner.kind} ${podKey({ namespace: object.namespace, name: owner.name })}`);
      };
      return objects.filter(isKept);
    },
    owned: (cluster) => ({
      ...cluster,
      pods: cluster.pods.map((pod) => ({ ...pod, owner: owners.get(podKey(pod)) ?? pod.owner })),
    }),
  };
}

/** The cluster that a running lab has. */
export async function labCluster(client: LabClient): Promise<Cluster> {
  const there = await labObjects(client);
  const pool = new AddressPool();
  there.reserve(pool);
  return there.owned(buildCluster(there.objects, pool).cluster);
}
