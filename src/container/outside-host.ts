import { join } from 'node:path';
import type { PortSpec } from '../model/question.ts';
import { ControlLink } from './control-link.ts';
import { PROXY_SOCKET, type FromProxy } from './messages.ts';
import { closeWayOut, takeAddresses } from './own-network.ts';
import { servePorts } from './pod-server.ts';
import { probe } from './probe.ts';

/** A host outside the cluster. With a folder that it shares with the control plane, probes can be made from it. */
export interface OutsideHostOptions {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly ports: readonly PortSpec[];
  readonly runFolder: string | undefined;
}

/** Takes the host's addresses and serves its ports. @throws LabError. */
export async function serveOutsideHost({ name, addresses, ports, runFolder }: OutsideHostOptions): Promise<void> {
  closeWayOut();
  takeAddresses(addresses);
  await servePorts(ports, [
    ['host', name],
    ['address', addresses.join(' ')],
  ]);
  if (runFolder === undefined) return;
  const startedAt = new Date().toISOString();
  const hello: FromProxy = { kind: 'hello', role: 'external', name, addresses, startedAt };
  const link = ControlLink.open(join(runFolder, PROXY_SOCKET), {
    state: () => [hello],
    heard: (message) => {
      if (message.kind === 'probe') void probe(message).then((probed) => link.tell(probed));
    },
  });
}
