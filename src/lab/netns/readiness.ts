import type { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Container, Probe } from '../../model/pod.ts';
import type { IpAddress } from '../../net/ip.ts';

// Imported, it would load Node's WebSocket client too: 12 MB and 30 ms.
const { get } = process.getBuiltinModule('node:http');

/** Where a readiness probe goes. `enter` is put before an exec probe's command. Runs in the node's namespace, as a kubelet's does. */
export interface ProbeTarget {
  readonly container: Container;
  readonly address: IpAddress;
  readonly spawnInPod: (command: readonly string[]) => ReturnType<typeof spawn>;
}

const PROBE_TIMEOUT_MS = 1_000; // timeoutSeconds' default

/** Whether the container says it is ready: its readiness probe, once. Without a probe it is. */
export async function isReady({ container, address, spawnInPod }: ProbeTarget): Promise<boolean> {
  const probe = container.readiness;
  switch (probe.kind) {
    case 'none':
      return true;
    case 'tcp':
    case 'http':
      return answersProbe(container, probe, address);
    case 'exec': {
      const child = spawnInPod(probe.command);
      const timer = setTimeout(() => child.kill('SIGKILL'), PROBE_TIMEOUT_MS);
      const [code] = (await once(child, 'close')) as [number | null];
      clearTimeout(timer);
      return code === 0;
    }
  }
}

/** A readiness probe over the network, once, from this process's own. */
export function answersProbe(
  container: Container,
  probe: Extract<Probe, { kind: 'tcp' | 'http' }>,
  address: IpAddress,
): Promise<boolean> {
  const port = portOf(container, probe.port);
  return probe.kind === 'tcp' ? connects(address.text, port) : answersHttp(address, port, probe.path);
}

/** The number of a probe's port; 0, which nothing answers, if the container has no port of that name. */
function portOf(container: Container, port: number | string): number {
  if (typeof port === 'number') return port;
  return container.ports.find(({ name }) => name === port)?.port ?? 0;
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
    const settle = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('connect', () => settle(true)).once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}

function answersHttp(address: IpAddress, port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = get({ host: address.text, port, path, timeout: PROBE_TIMEOUT_MS, agent: false }, (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      resolve(status >= 200 && status < 400);
    });
    call.once('timeout', () => call.destroy());
    call.once('error', () => {
      resolve(false);
    });
  });
}
