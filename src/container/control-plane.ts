import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameOf, namespaceOf } from '../apiserver/api-object.ts';
import { ApiStore } from '../apiserver/api-store.ts';
import { ApiServer } from '../apiserver/http/api-server.ts';
import { makeCertificate, type ServerCertificate } from '../apiserver/http/certificate.ts';
import type { PodStreamRequest, PodStreams } from '../apiserver/http/pod-streams.ts';
import { kubeconfig } from '../apiserver/kubeconfig.ts';
import { ApiError } from '../apiserver/status.ts';
import { boundSocket } from '../dataplane/libc.ts';
import { serveControl } from '../lab/control-plane/control-server.ts';
import type { LabSpec } from '../lab/lab-client.ts';
import type { IpAddress } from '../net/ip.ts';
import type { Port } from '../net/port.ts';
import { ContainerControl } from './container-control.ts';
import { ContainerLab } from './container-lab.ts';
import { API_SOCKET, CONTROL_SOCKET, LAB_READY_FILE, PROXY_SOCKET } from './messages.ts';

/** What the control plane of a lab in containers is started with. */
export interface ControlPlaneSetting {
  readonly spec: LabSpec;
  readonly nodeAddresses: readonly IpAddress[];
  /** The folder that it shares with the proxies. What is to outlive it is in there too. */
  readonly runFolder: string;
  /** Where kubectl reaches it, by TLS and with the token. */
  readonly listen: { readonly address: IpAddress; readonly port: Port };
  /** Writes a line to whoever looks after the container. */
  readonly say: (line: string) => void;
  /** Called when a user ends the lab. */
  readonly onStop: () => void;
}

const TOKEN_BYTES = 32;
const NODE_NAME = 'node';

/** Serves a lab's API and verbs until it is disposed of. @throws LabError usage if its manifests are refused. */
export async function serveControlPlane(setting: ControlPlaneSetting): Promise<AsyncDisposable> {
  const { spec, nodeAddresses, runFolder, listen, say, onStop } = setting;
  const inFolder = (name: string): string => join(runFolder, name);
  mkdirSync(inFolder('store'), { recursive: true, mode: 0o700 });
  const store = await ApiStore.open({ folder: inFolder('store') });
  const node = { name: NODE_NAME, addresses: nodeAddresses };
  rmSync(inFolder(LAB_READY_FILE), { force: true }); // of an earlier process
  const lab = await ContainerLab.start({ spec, store, node, socket: inFolder(PROXY_SOCKET), say });
  const { token, certificate } = identityIn(runFolder);
  const fd = boundSocket({ namespace: undefined, type: 'tcp', ...listen });
  const secured = await ApiServer.start({ store, token, certificate, fd, streams: NO_STREAMS });
  const facts = {
    server: secured.url,
    caPem: certificate.caPem,
    token,
    namespace: 'default',
    name: `lab-${spec.name}`,
  };
  writeFileSync(inFolder('kubeconfig'), kubeconfig(facts), { mode: 0o600 });
  const local = await onSocket(inFolder(API_SOCKET), (path) => ApiServer.start({ store, path, streams: NO_STREAMS }));
  const control = new ContainerControl(lab, { server: secured.url, kubeconfig: inFolder('kubeconfig') });
  const verbs = await onSocket(inFolder(CONTROL_SOCKET), (socket) =>
    serveControl({ socket, control, log: lab.log, admission: lab.admission, stop: onStop }),
  );
  const ending = new AbortController();
  lab.podsReady(ending.signal).then(
    () => {
      writeFileSync(inFolder(LAB_READY_FILE), '');
    },
    (error: unknown) => {
      if (!ending.signal.aborted) throw error;
    },
  );
  return {
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      verbs.closeAllConnections();
      verbs.close();
      await Promise.all([secured.close(), local.close(), lab.stop()]);
    },
  };
}

/** Who may enter the folder may use the sockets in it, whatever user it is. */
async function onSocket<Server>(path: string, listen: (path: string) => Promise<Server>): Promise<Server> {
  rmSync(path, { force: true }); // of an earlier process
  const server = await listen(path);
  chmodSync(path, 0o666);
  return server;
}

/** The token and the certificate of the lab: made once, so that a kubeconfig stays good when the control plane is restarted. */
function identityIn(folder: string): { token: string; certificate: ServerCertificate } {
  const file = join(folder, 'identity.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof identityIn>;
  const identity = { token: randomBytes(TOKEN_BYTES).toString('base64url'), certificate: makeCertificate(new Date()) };
  writeFileSync(file, JSON.stringify(identity), { mode: 0o600 });
  writeFileSync(join(folder, 'token'), identity.token, { mode: 0o600 });
  return identity;
}

/** The control plane has no way into containers: that would take Docker's socket. */
const NO_STREAMS: PodStreams = {
  answer: (stream) => Promise.reject(notServed(stream)),
  upgrade: (stream) => Promise.reject(notServed(stream)),
};

function notServed({ subresource, podObject }: PodStreamRequest): ApiError {
  const instead = `netpol-lab exec -n ${namespaceOf(podObject)} ${nameOf(podObject)} -- COMMAND`;
  const message = `a lab in containers does not serve ${subresource} of pods; run commands in them by "${instead}"`;
  return new ApiError({ code: 501, reason: 'NotImplemented', message });
}
