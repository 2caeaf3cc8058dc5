import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { FOLLOWED } from '../../src/container/followed.ts';
import { API_SOCKET, CONTROL_SOCKET } from '../../src/container/messages.ts';
import { inNamespace } from '../../src/dataplane/libc.ts';
import { ListWatch } from '../../src/kube/list-watch.ts';
import { MANIFEST_PATHS } from '../../src/lab/compose/placed-manifests.ts';
import { HttpLabClient } from '../../src/lab/http-client.ts';
import {
  DEFAULT_OPTIONS,
  type ExternalHost,
  type LabOptions,
  type LabSpec,
  type LabStatus,
  type PodStatus,
} from '../../src/lab/lab-client.ts';
import { BuiltinServer } from '../../src/lab/netns/builtin-server.ts';
import { workloadKind } from '../../src/lab/netns/workload-kind.ts';
import { AddressPool } from '../../src/manifest/address-pool.ts';
import { buildCluster } from '../../src/manifest/build-cluster.ts';
import { parseManifests } from '../../src/manifest/manifest.ts';
import { isFinished, podKey, type Pod } from '../../src/model/pod.ts';
import { ip } from '../builders/address.ts';
import { given } from '../builders/given.ts';
import { BridgeNetwork } from '../dataplane/bridge-network.ts';
import type { TestPod } from '../dataplane/node-network.ts';
import { PodProgram } from '../e2e/lab-fixture.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/netpol-lab.ts', import.meta.url));
const SUPERVISE = fileURLToPath(new URL('../../src/container/supervise.sh', import.meta.url));
const WORKLOAD = fileURLToPath(new URL('../../src/container/workload.sh', import.meta.url));
// Of this network, hosts outside the cluster and pods without an address of their own are at its end.
const FIRST_FREE = 0xff00;

const RESTARTS = { Always: 'always', OnFailure: 'on-failure', Never: 'no' } as const;

/** Capabilities of a container's process. */
type Capabilities = 'none' | 'net_admin';

/**
 * A lab as docker compose would run it, without Docker: a bridge, a namespace for each pod with a real proxy process
 * in it that has NET_ADMIN alone, a control plane process that has no capability, a folder for the volume.
 */
export class ContainerTestLab implements AsyncDisposable {
  readonly network = new BridgeNetwork();
  readonly folder = mkdtempSync(join(tmpdir(), 'netpol-lab-run-'));
  readonly client: HttpLabClient;
  readonly pods = new Map<string, TestPod>();
  readonly said: string[] = [];
  readonly #spec: LabSpec;
  readonly #processes = new Set<ChildProcess>();
  readonly #servers = new AsyncDisposableStack();
  readonly #proxies = new Map<string, ChildProcess>();
  #controlPlane: ChildProcess | undefined;
  readonly #watch: ListWatch;
  readonly #waiting: (() => void)[] = [];
  #given = 0;

  private constructor(spec: LabSpec) {
    this.#spec = spec;
    const socket = join(this.folder, CONTROL_SOCKET);
    this.client = new HttpLabClient(spec.name, {
      folder: this.folder,
      socket,
      record: '',
      log: 'the test',
      objects: '',
    });
    const tell = this.#tell;
    const listener = { replace: tell, put: tell, remove: tell, reached: tell, trouble: tell };
    this.#watch = ListWatch.start({ kind: 'socket', path: join(this.folder, API_SOCKET) }, FOLLOWED.pods, listener);
  }

  /** Starts the lab and waits until every pod is ready, or it is known why it is not. */
  static async start(
    given: Partial<LabSpec> & Pick<LabSpec, 'name'>,
    carry: LabOptions['carry'] = 'kernel',
  ): Promise<ContainerTestLab> {
    const options = { ...DEFAULT_OPTIONS, ...given.options, carry };
    const lab = new ContainerTestLab({ files: [], external: [], ...given, options });
    try {
      const manifests = join(lab.folder, 'manifests');
      mkdirSync(manifests);
      writeFileSync(join(manifests, MANIFEST_PATHS), JSON.stringify(lab.#spec.files.map(({ path }) => path)));
      lab.#spec.files.forEach(({ text }, index) => {
        writeFileSync(join(manifests, String(index + 1)), text);
      });
      writeFileSync(join(lab.folder, 'external.json'), JSON.stringify(lab.#spec.external));
      await lab.startControlPlane();
      const planned = new Map(lab.#plannedPods().map((pod) => [podKey(pod), pod]));
      const { pods } = await lab.client.status();
      await Promise.all(pods.map((status) => lab.#startPod(status, planned.get(podKey(status)))));
      for (const host of lab.#spec.external) lab.#startHost(host);
      await lab.until(({ pods: all }) => all.every((each) => each.ready || each.message !== '' || isFinished(each)));
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The pod's address of that family. `pod` is NAMESPACE/NAME. */
  address(pod: string, family: 4 | 6 = 4): string {
    return given(this.pods.get(pod), `${pod} runs`).address[family].text;
  }

  /** Applies manifests; fails the test if any is refused or not in force at once. @returns milliseconds until they were. */
  async apply(manifests: string): Promise<number> {
    const { issues, warnings, enforcedMs } = await this.client.apply([{ path: 'test.yaml', text: manifests }]);
    expect({ issues, warnings }).toEqual({ issues: [], warnings: [] });
    return enforcedMs;
  }

  /** Deletes a policy. `policy` is NAMESPACE/NAME. */
  async deletePolicy(policy: string): Promise<void> {
    const [namespace = '', name = ''] = policy.split('/');
    await this.client.delete({ kind: 'NetworkPolicy', namespace, name });
  }

  /** Starts a program of test/e2e in a pod's network, and waits for its first line. */
  run(pod: string, file: string, options: object = {}): Promise<PodProgram> {
    const path = fileURLToPath(new URL(`../e2e/${file}`, import.meta.url));
    const { namespace } = given(this.pods.get(pod), `${pod} runs`);
    const command = [path, JSON.stringify(options)];
    const child = inNamespace(namespace, () =>
      spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    this.#servers.defer(() => kill(child, 'SIGKILL'));
    return PodProgram.started(child);
  }

  /** Starts the control plane, and waits until it answers. */
  async startControlPlane(): Promise<void> {
    const { name, options } = this.#spec;
    const args = ['--manifests', join(this.folder, 'manifests'), '--external', join(this.folder, 'external.json')];
    const { deny, established, carry } = options;
    const how = ['--name', name, '--deny', deny, '--established', established, '--carry', carry];
    const place = ['--run', this.folder, '--listen', '127.0.0.1:6443'];
    this.#controlPlane = this.#start(this.network.host, 'none', ['control-plane', ...args, ...how, ...place]);
    await this.until(() => true);
  }

  async killControlPlane(): Promise<void> {
    await kill(given(this.#controlPlane, 'there is a control plane'), 'SIGKILL');
  }

  /** Kills a pod's proxy; its supervisor starts it again. */
  killProxy(pod: string): void {
    const supervisor = given(this.#proxies.get(pod), `${pod} has a proxy`);
    const children = `/proc/${supervisor.pid}/task/${supervisor.pid}/children`;
    const [child] = readFileSync(children, 'utf8').trim().split(' ');
    process.kill(Number(given(child, 'the proxy runs')), 'SIGKILL');
  }

  /** Waits until the lab's status is so. */
  async until(isSo: (status: LabStatus) => boolean): Promise<LabStatus> {
    for (;;) {
      const ended = [...this.#processes].find(({ exitCode }) => exitCode !== null);
      if (ended) throw new Error(`${ended.spawnargs.join(' ')} has ended: ${this.said.join('')}`);
      const heard = this.#news();
      const status = await this.client.status().catch(() => undefined);
      if (status && isSo(status)) return status;
      await heard;
    }
  }

  /** Resolves when the API has something new to say of pods, or says nothing because nobody serves it. */
  #news(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  readonly #tell = (): void => {
    for (const resume of this.#waiting.splice(0)) resume();
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch.stop();
    await Promise.all([...this.#processes].map((child) => kill(child, 'SIGTERM')));
    await this.#servers.disposeAsync();
    this.network[Symbol.dispose]();
    rmSync(this.folder, { recursive: true });
  }

  /** The pods of the manifests, for what runs in their containers. */
  #plannedPods(): readonly Pod[] {
    return buildCluster(parseManifests(this.#spec.files).objects, new AddressPool()).cluster.pods;
  }

  async #startPod(status: PodStatus, planned: Pod | undefined): Promise<void> {
    if (planned?.hostNetwork) return;
    const key = podKey(status);
    const pod = this.network.attachAt(this.#addressesOf(status.addresses));
    this.pods.set(key, pod);
    const ready = join(this.folder, `ready.${status.name}`);
    const commands = planned?.containers.filter(({ command }) => command.length > 0) ?? [];
    const shown = commands.length > 0 ? ['--shown', commands.map(({ name }) => name).join(',')] : [];
    const args = ['proxy', '--pod', key, '--run', this.folder, '--ready-file', ready, ...shown];
    this.#proxies.set(key, this.#start(pod, 'net_admin', args, ['sh', SUPERVISE]));
    if (!planned) {
      this.#start(pod, 'none', ['dns', '--run', this.folder, '--external', join(this.folder, 'external.json')]);
      return;
    }
    for (const { name, command } of commands)
      this.#runCommand(pod, [name, RESTARTS[planned.restartPolicy], ...command]);
    for (const container of planned.containers) {
      const workload = workloadKind(container, () => false);
      if (workload.kind !== 'servers') continue;
      for (const { protocol, port } of workload.ports) {
        if (protocol === 'SCTP') continue;
        const place = { namespace: pod.namespace, families: [4, 6] as const, protocol, port };
        this.#servers.use(await BuiltinServer.listen(place, [['pod', status.name]]));
      }
    }
  }

  /** A container's command, in an image that has it. */
  #runCommand({ namespace }: TestPod, args: readonly string[]): void {
    const child = inNamespace(namespace, () =>
      spawn('sh', [WORKLOAD, ...args], { stdio: ['ignore', 'inherit', 'inherit'], detached: true }),
    );
    this.#servers.defer(async () => {
      await kill(child, 'SIGTERM');
      process.kill(-(child.pid ?? NaN), 'SIGKILL'); // Docker ends all of a container
    });
  }

  #startHost({ name, addresses, ports }: ExternalHost): void {
    const host = this.network.attachAt(this.#addressesOf([]));
    const served = ports.map(({ port, protocol }) => `${port}/${protocol}`).join(',');
    const args = ['external', '--name', name, '--addresses', addresses.join(','), '--ports', served];
    this.#start(host, 'net_admin', [...args, '--run', this.folder]);
  }

  #addressesOf(texts: readonly string[]): TestPod['address'] {
    const number = FIRST_FREE + this.#given++;
    const own = texts.map(ip);
    return {
      4: own.find(({ family }) => family === 4) ?? ip(`10.244.${number >> 8}.${number & 255}`),
      6: own.find(({ family }) => family === 6) ?? ip(`fd00:10:244::${number.toString(16)}`),
    };
  }

  #start(
    where: TestPod,
    capabilities: Capabilities,
    args: readonly string[],
    by: readonly string[] = [],
  ): ChildProcess {
    const kept = capabilities === 'none' ? '-all' : `-all,+${capabilities}`;
    const limits = [`--bounding-set=${kept}`, `--inh-caps=${kept}`, '--no-new-privs'];
    const command = [...limits, '--', ...by, process.execPath, PROGRAM, 'container', ...args];
    const child = inNamespace(where.namespace, () =>
      spawn('setpriv', command, { stdio: ['ignore', 'inherit', 'pipe'] }),
    );
    child.stderr.on('data', (text: Buffer) => this.said.push(text.toString()));
    this.#processes.add(child);
    child.once('close', () => this.#processes.delete(child));
    return child;
  }
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'close');
  child.kill(signal);
  await ended;
}
