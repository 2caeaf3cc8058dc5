import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:http';
import { LabError } from '../../model/lab-error.ts';
import { ControlClient } from '../control-client.ts';
import type { ExecTarget, LabStatus } from '../lab-client.ts';
import { composePaths, removeComposeFiles } from '../state-folder.ts';
import { containerStream } from './container-stream.ts';
import { docker } from './docker.ts';
import { containersOf, removeHoldings } from './holdings.ts';
import { API_PORT, CONTROL_PLANE, podService, projectName } from './service-names.ts';

const RUN = '/run/netpol-lab';

// Docker passes no signal on to what it executes. The command is found by the mark in its environment, and as the one
// of its processes that has no parent in the container.
const SIGNAL = `
for process in /proc/[0-9]*; do
  grep -q '^PPid:[[:space:]]*0$' $process/status && grep -qz "^NETPOL_LAB_COMMAND=$1$" $process/environ &&
    kill -s "$2" "\${process#/proc/}"
done 2>/dev/null`;

/** A lab in containers: its control plane's socket by way of docker exec, and its pods' containers. */
export class ComposeLabClient extends ControlClient {
  #containers: Promise<ReadonlyMap<string, string>> | undefined;

  /** As the control plane says, with the address and the kubeconfig by which this machine reaches its API. */
  override async status(): Promise<LabStatus> {
    const controlPlane = await this.#container(CONTROL_PLANE);
    const [status, published, kubeconfig] = await Promise.all([
      super.status(),
      docker(['port', controlPlane, `${API_PORT}/tcp`]),
      docker(['exec', controlPlane, 'cat', `${RUN}/kubeconfig`]),
    ]);
    const server = `https://${published.split('\n')[0] ?? ''}`;
    const file = (await composePaths(this.name)).kubeconfig;
    // In the container it names the container's own port.
    await writeFile(file, `${kubeconfig.replaceAll(status.api.server, server)}\n`, { mode: 0o600 });
    return { ...status, api: { server, kubeconfig: file } };
  }

  override async execTarget(wanted: { namespace: string; pod: string }): Promise<ExecTarget> {
    const { namespace, pod } = await super.execTarget(wanted);
    const container = await this.#container(podService({ namespace, name: pod }));
    const mark = randomUUID();
    const enter = (...flags: readonly string[]): string[] => [
      ...['docker', 'exec', '--interactive', ...flags],
      ...['--env', `NETPOL_LAB_COMMAND=${mark}`, container],
    ];
    return {
      namespace,
      pod,
      enter: enter(),
      enterOnTerminal: enter('--tty'),
      signal: ['docker', 'exec', container, 'sh', '-c', SIGNAL, 'signal', mark],
    };
  }

  async stop(): Promise<void> {
    await removeHoldings(this.name);
    await removeComposeFiles(this.name);
  }

  protected async connection(): Promise<RequestOptions> {
    const controlPlane = await this.#container(CONTROL_PLANE);
    return { createConnection: () => containerStream(controlPlane, `${RUN}/control.sock`) };
  }

  protected get log(): string {
    return `"docker compose -p ${projectName(this.name)} logs"`;
  }

  /** The running container of a service, whatever Compose project it is in. Asked for once. */
  async #container(service: string): Promise<string> {
    const container = (await (this.#containers ??= containersOf(this.name))).get(service);
    if (container !== undefined) return container;
    throw new LabError('environment', `lab ${this.name} has no running container of ${service}: see "docker ps --all"`);
  }
}
