import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { PodCommand, PodProcess } from '../../apiserver/streams/pod-access.ts';
import { inNamespace } from '../../dataplane/libc.ts';
import { invariant } from '../../model/invariant.ts';
import { podKey, type Container, type Pod, type PodPhase } from '../../model/pod.ts';
import type { PodReport } from '../control-plane/backend.ts';
import { domainOf, resolvConf } from '../resolv-conf.ts';
import type { Identity } from './builtin-server.ts';
import type { ContainerLog } from './container-log.ts';
import { ContainerRuntime, type StartableWorkload } from './container-runtime.ts';
import { hasProgram, podEntry, type PodFiles } from './pod-command.ts';
import { CommandProcess } from './command-process.ts';
import { isReady } from './readiness.ts';
import { workloadKind, type WorkloadKind } from './workload-kind.ts';

/** What a pod needs from its lab. `namespace` is its network (a descriptor), the node's for a host-network pod. */
export interface PodSetting {
  readonly pod: Pod;
  readonly namespace: number;
  readonly folder: string;
  readonly nameServers: readonly string[];
  readonly startDns: (pod: Pod, namespace: number) => Promise<AsyncDisposable>;
  /** Called after every change of phase or readiness. */
  readonly onChange: () => void;
}

const READINESS_PERIOD_MS = 500; // Kubernetes asks every 10 s; a lab's user should not have to wait
// In an ordinary user's lab there is one user only: tar, by which kubectl copies files, is not to set another.
const ENVIRONMENT_OF_GUESTS = hasOneUser() ? { TAR_OPTIONS: '--no-same-owner' } : {};

/** The containers of one pod and their state. */
export class PodRuntime {
  readonly pod: Pod;
  readonly files: PodFiles;
  readonly #namespace: number;
  readonly startedAt = new Date();
  readonly warnings: readonly string[];
  readonly #setting: PodSetting;
  readonly #containers: readonly ContainerRuntime[];
  readonly #readyContainers = new Set<ContainerRuntime>();
  readonly #stopping = new AbortController();
  #initialised = false;
  #failure = '';
  /** What clients have started in it besides its containers. */
  readonly #guests = new Set<CommandProcess>();

  constructor(setting: PodSetting) {
    const { pod } = setting;
    this.pod = pod;
    this.#namespace = setting.namespace;
    this.#setting = setting;
    this.files = writeFiles(setting);
    this.#containers = pod.containers.map((container) => this.#runtimeOf(container));
    this.warnings = pod.containers.flatMap((container) => warningsOf(pod, container));
  }

  /** Starts init containers one by one, then the others. @returns when all have started; readiness may follow. */
  start(): Promise<void> {
    this.discard(); // of a lab that went on after a crash
    mkdirSync(this.#logFolder, { recursive: true, mode: 0o700 });
    return this.#run().catch((error: unknown) => {
      this.#failure = String(error);
      this.#setting.onChange();
    });
  }

  get status(): PodReport {
    const main = this.#containers.filter(({ container }) => container.role !== 'init');
    const ready = main.filter((container) => this.#readyContainers.has(container)).length;
    const phase = this.#phase();
    const restarting = this.#containers.find(({ state }) => state.kind === 'restarting');
    return {
      phase,
      ready: phase === 'Running' && ready === main.length,
      restarts: this.#containers.reduce((sum, { restarts }) => sum + restarts, 0),
      reason: restarting ? `${restarting.container.role === 'init' ? 'Init:' : ''}CrashLoopBackOff` : '',
      message: this.#failure || (restarting?.state.kind === 'restarting' ? restarting.state.message : ''),
      containers: { ready, total: main.length },
      exitCodes: new Map(
        this.#containers.flatMap(({ container, state }) =>
          state.kind === 'done' ? [[container.name, state.exitCode]] : [],
        ),
      ),
      startedAt: this.startedAt,
    };
  }

  /** Ends everything that runs in the pod. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#containers.map((container) => container.stop()), ...[...this.#guests].map(endOf)]);
  }

  /** Aborted when it is stopped: by whoever removes it, or because its containers have all ended. */
  get ended(): AbortSignal {
    return this.#stopping.signal;
  }

  /** What a client sees of a container that runs. */
  attach(name: string): PodProcess {
    return this.#runtimeNamed(name).attach();
  }

  /** Removes its logs, while it does not run. */
  discard(): void {
    rmSync(this.#logFolder, { recursive: true, force: true });
  }

  /** The log of a container's last run, or of the one before. @returns undefined if there was none. */
  log(name: string, previous: boolean): ContainerLog | undefined {
    return this.#runtimeNamed(name).log(previous);
  }

  /** Whether it has a container of that name which runs. */
  isRunning(name: string): boolean {
    return this.#runtimeNamed(name).state.kind === 'running';
  }

  /** Starts a command beside a container's own, in its environment. It ends with the pod. */
  exec(name: string, { command, input, terminal }: PodCommand): CommandProcess {
    const { container } = this.#runtimeNamed(name);
    const environment = { ...ENVIRONMENT_OF_GUESTS, ...environmentOf(this.pod, container) };
    const { files } = this;
    const workingDir = workingDirOf(container);
    const place = { namespace: this.#namespace, files, workingDir };
    const process = new CommandProcess({ ...place, command, environment, input, terminal });
    this.#guests.add(process);
    void process.exitCode.then(() => this.#guests.delete(process));
    return process;
  }

  async #run(): Promise<void> {
    for (const container of this.#containers.filter(({ container: { role } }) => role !== 'main')) {
      await container.start();
      if (container.container.role === 'init') await container.finished();
      if (this.#stopping.signal.aborted || this.#phase() === 'Failed') return;
    }
    const main = this.#containers.filter(({ container: { role } }) => role === 'main');
    await Promise.all(main.map((container) => container.start()));
    this.#initialised = true;
    this.#setting.onChange();
    await this.#watchReadiness();
  }

  #runtimeNamed(name: string): ContainerRuntime {
    const runtime = this.#containers.find(({ container }) => container.name === name);
    invariant(runtime, `pod ${this.pod.name} has a container ${name}`);
    return runtime;
  }

  get #logFolder(): string {
    return join(this.#setting.folder, 'logs', this.pod.namespace, this.pod.name);
  }

  #phase(): PodPhase {
    const states = (role: Container['role']) =>
      this.#containers.filter(({ container }) => container.role === role).map(({ state }) => state);
    if (states('init').some((state) => state.kind === 'done' && state.exitCode !== 0)) return 'Failed';
    if (!this.#initialised) return 'Pending';
    const main = states('main');
    if (main.length === 0 || main.some((state) => state.kind !== 'done')) return 'Running';
    return main.every((state) => state.kind === 'done' && state.exitCode === 0) ? 'Succeeded' : 'Failed';
  }

  async #watchReadiness(): Promise<void> {
    const { signal } = this.#stopping;
    const watched = this.#containers.filter(({ container }) => container.role !== 'init');
    const probed = watched.some(({ container }) => probedAs(container).readiness.kind !== 'none');
    const deadlines = [10, 20, 40, 80, 160]; // a server that has just started is ready soon
    do {
      await Promise.all(watched.map((container) => this.#checkReadiness(container)));
      if (!probed) return; // #checkReadiness runs again at each change of state
      await delay(deadlines.shift() ?? READINESS_PERIOD_MS, undefined, { signal }).catch(() => undefined);
    } while (!signal.aborted);
  }

  async #checkReadiness(container: ContainerRuntime): Promise<void> {
    const [address] = this.pod.addresses;
    const running = container.state.kind === 'running';
    const spawnInPod = (command: readonly string[]) => this.#spawnInPod(command, container.container);
    const probed = probedAs(container.container);
    const ready = running && address !== undefined && (await isReady({ container: probed, address, spawnInPod }));
    if (ready === this.#readyContainers.has(container)) return;
    if (ready) this.#readyContainers.add(container);
    else this.#readyContainers.delete(container);
    this.#setting.onChange();
  }

  #spawnInPod(command: readonly string[], container: Container): ReturnType<typeof spawn> {
    const [program = '', ...args] = [...podEntry(this.files, workingDirOf(container)), ...command];
    return inNamespace(this.#namespace, () => spawn(program, args, { stdio: 'ignore' }));
  }

  #runtimeOf(container: Container): ContainerRuntime {
    const { pod, namespace, startDns, folder } = this.#setting;
    const runtime: ContainerRuntime = new ContainerRuntime({
      container,
      workload: startable(workloadKind(container, hasProgram), pod, folder),
      restartPolicy: pod.restartPolicy,
      namespace,
      families: [...new Set(pod.addresses.map(({ family }) => family))],
      identity: identityOf(pod),
      startCommand: (command) =>
        new CommandProcess({
          namespace,
          files: this.files,
          command,
          workingDir: workingDirOf(container),
          environment: environmentOf(pod, container),
          input: container.stdin,
          terminal: container.tty,
        }),
      logPath: (run) => join(this.#logFolder, `${container.name}-${run}.log`),
      startDns: () => startDns(pod, namespace),
      onChange: () => {
        if (this.#initialised) void this.#checkReadiness(runtime).then(this.#setting.onChange);
      },
    });
    return runtime;
  }
}

/** An egress gateway is a process of its own, in the pod's network and with its resolv.conf. */
function startable(workload: WorkloadKind, pod: Pod, folder: string): StartableWorkload {
  if (workload.kind !== 'gateway') return workload;
  const program = fileURLToPath(new URL(`../../cli/netpol-lab${extname(import.meta.url)}`, import.meta.url));
  const options = ['--pod', podKey(pod), '--port', String(workload.port), '--run', folder];
  return { kind: 'command', command: [process.execPath, program, 'container', 'egress-gateway', ...options] };
}

/** A gateway is ready once it listens, as a built-in server is, unless it has a probe of its own. */
function probedAs(container: Container): Container {
  const workload = workloadKind(container, hasProgram);
  if (workload.kind !== 'gateway' || container.readiness.kind !== 'none') return container;
  return { ...container, readiness: { kind: 'tcp', port: workload.port } };
}

/** Whether this process's user namespace has a single user. Source: user_namespaces(7). */
function hasOneUser(): boolean {
  return /^\s*\d+\s+\d+\s+1\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
}

function endOf(process: CommandProcess): Promise<void> {
  return process.end();
}

function warningsOf(pod: Pod, container: Container): string[] {
  const [program] = container.command;
  if (program === undefined || hasProgram(program, container.workingDir)) return [];
  const workload = workloadKind(container, hasProgram);
  const instead =
    workload.kind === 'servers'
      ? `a built-in server answers on ${workload.ports.map(({ port, protocol }) => `${port}/${protocol}`).join(', ')} instead`
      : 'it idles instead';
  return [`${pod.namespace}/${pod.name}: container ${container.name}: ${program} is not on this machine; ${instead}`];
}

function identityOf(pod: Pod): Identity {
  return [
    ['pod', pod.name],
    ['namespace', pod.namespace],
    ['address', pod.addresses.map(({ text }) => text).join(' ')],
  ];
}

/** Where commands in a container begin. What stands in for one does not have its files, and need not have its directory. */
function workingDirOf(container: Container): string {
  return workloadKind(container, hasProgram).kind === 'command' ? container.workingDir : '';
}

function environmentOf(pod: Pod, container: Container): NodeJS.ProcessEnv {
  const { PATH, LANG } = process.env;
  const own = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
  return { PATH, ...(LANG === undefined ? {} : { LANG }), HOME: '/', HOSTNAME: pod.hostname, ...own };
}

function writeFiles({ pod, folder, nameServers }: PodSetting): PodFiles {
  const path = (ending: string): string => join(folder, `${pod.namespace}_${pod.name}.${ending}`);
  const domain = domainOf(pod);
  const hosts = [
    '127.0.0.1 localhost',
    '::1 localhost ip6-localhost ip6-loopback',
    ...pod.addresses.map(({ text }) =>
      [text, ...(domain === '' ? [] : [`${pod.hostname}.${domain}`]), pod.hostname].join(' '),
    ),
    ...pod.hostAliases.map(({ ip, hostnames }) => [ip, ...hostnames].join(' ')),
  ];
  const files = { resolvConf: path('resolv.conf'), hosts: path('hosts'), hostname: pod.hostname };
  writeFileSync(files.resolvConf, resolvConf(pod, nameServers));
  writeFileSync(files.hosts, `${hosts.join('\n')}\n`);
  return files;
}
