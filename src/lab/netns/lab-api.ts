import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { nameOf, namespaceOf, objectAt, type ApiObject } from '../../apiserver/api-object.ts';
import { ApiStore } from '../../apiserver/api-store.ts';
import { ApiServer } from '../../apiserver/http/api-server.ts';
import { makeCertificate } from '../../apiserver/http/certificate.ts';
import { kubeconfig } from '../../apiserver/kubeconfig.ts';
import type { ObjectChange } from '../../apiserver/object-store.ts';
import { PodStreamServer } from '../../apiserver/streams/pod-stream-server.ts';
import type { CommitVerdict } from '../../apiserver/user-writes.ts';
import { podKey } from '../../model/pod.ts';
import type { LabStatus } from '../lab-client.ts';
import { objectKey, objectsOfKind } from '../lab-objects.ts';
import { FleetAccess } from './fleet-access.ts';
import { LabMirror } from './lab-mirror.ts';
import type { RunningLab } from './running-lab.ts';
import { labChangeOf } from './user-change.ts';

const TOKEN_BYTES = 32;

/**
 * Serves the Kubernetes API of a lab, which stays the owner of its objects: the API's store follows it.
 * @param place the descriptor of a bound socket, and where to write the kubeconfig.
 */
export async function serveLabApi(
  lab: RunningLab,
  place: { readonly fd: number; readonly kubeconfig: string },
): Promise<LabStatus['api']> {
  const store = await ApiStore.open();
  const mirror = new LabMirror(store);
  mirror.update(lab.view);
  lab.onChanged = () => mirror.update(lab.view);
  store.onCommit = (changes) => putInForce(changes, lab, mirror);
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const certificate = makeCertificate(new Date());
  const streams = new PodStreamServer(new FleetAccess(lab.fleet));
  const { url } = await ApiServer.start({ store, token, certificate, fd: place.fd, streams });
  const facts = { server: url, caPem: certificate.caPem, token, namespace: 'default', name: `lab-${lab.spec.name}` };
  await writeFile(place.kubeconfig, kubeconfig(facts), { mode: 0o600 });
  return { server: url, kubeconfig: place.kubeconfig };
}

/** Makes a user's write true in the lab, before it is stored and answered. */
async function putInForce(
  changes: readonly ObjectChange[],
  lab: RunningLab,
  mirror: LabMirror,
): Promise<CommitVerdict> {
  const change = labChangeOf(changes, (object) => lab.written(object));
  if (Object.values(change).every((part: readonly unknown[]) => part.length === 0)) return { kind: 'accepted' };
  const keys = new Set(changes.map(keyOf));
  mirror.hold(keys);
  try {
    const { issues } = await lab.change(change);
    return issues.length > 0 ? { kind: 'refused', issues } : { kind: 'accepted', amended: withAddresses(changes, lab) };
  } finally {
    // The store takes the write before the event loop goes on.
    setImmediate(() => {
      mirror.release(keys);
      mirror.update(lab.view);
    });
  }
}

function keyOf({ before, after }: ObjectChange): string {
  const object = after ?? before;
  return object ? objectKey({ kind: object.kind, namespace: namespaceOf(object), name: nameOf(object) }) : '';
}

/** The Services among the objects, with the addresses that the lab has given them. */
function withAddresses(changes: readonly ObjectChange[], lab: RunningLab): ApiObject[] {
  const services = changes.flatMap(({ after }) => (after?.kind === 'Service' ? after : []));
  if (services.length === 0) return [];
  const shown = new Map(objectsOfKind(lab.view, 'Service').map((object) => [referenceOf(object.metadata), object]));
  return services.map((service) => {
    const spec = shown.get(podKey({ namespace: namespaceOf(service), name: nameOf(service) }))?.spec;
    const { clusterIP, clusterIPs } = (spec ?? {}) as Record<string, string | string[] | undefined>;
    const given = clusterIP === undefined || clusterIPs === undefined ? {} : { clusterIP, clusterIPs };
    return { ...service, spec: { ...objectAt(service, 'spec'), ...given } };
  });
}

function referenceOf({ namespace = '', name }: { readonly namespace?: string; readonly name: string }): string {
  return podKey({ namespace, name });
}
