import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { ApiServer } from '../../apiserver/http/api-server.ts';
import { makeCertificate } from '../../apiserver/http/certificate.ts';
import { kubeconfig } from '../../apiserver/kubeconfig.ts';
import type { PodAccess } from '../../apiserver/streams/pod-access.ts';
import { PodStreamServer } from '../../apiserver/streams/pod-stream-server.ts';
import type { LabStatus } from '../lab-client.ts';
import type { ControlPlane } from './control-plane.ts';

/** Where a lab's API is served. `access` is the way into its pods. */
export interface ApiPlace {
  /** The descriptor of a bound socket. */
  readonly fd: number;
  /** Where to write the kubeconfig. */
  readonly kubeconfig: string;
  readonly access: PodAccess;
}

const TOKEN_BYTES = 32;

/** Serves the Kubernetes API of a lab. */
export async function serveLabApi({ store, name }: ControlPlane, place: ApiPlace): Promise<LabStatus['api']> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const certificate = makeCertificate(new Date());
  const streams = new PodStreamServer(place.access);
  const { url } = await ApiServer.start({ store, token, certificate, fd: place.fd, streams });
  const facts = { server: url, caPem: certificate.caPem, token, namespace: 'default', name: `lab-${name}` };
  await writeFile(place.kubeconfig, kubeconfig(facts), { mode: 0o600 });
  return { server: url, kubeconfig: place.kubeconfig };
}
