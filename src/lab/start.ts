import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { invariant } from '../model/invariant.ts';
import { LabError } from '../model/lab-error.ts';
import { parseIp } from '../net/ip.ts';
import { carriedBy, type LabProblem, type LabSpec, type LabStatus } from './lab-client.ts';
import { environment, namespaceArguments, type Namespaces } from './namespaces.ts';
import {
  composeLabs,
  isAlive,
  labPaths,
  readRecord,
  removeAllButObjects,
  removeRemains,
  startTicks,
  stateFolder,
  writeRecord,
  type LabPaths,
  type LabRecord,
} from './state-folder.ts';
import { whileLocked } from './state-lock.ts';

/** A line that a starting lab writes to its launcher. */
export type StartMessage =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'ready'; readonly status: LabStatus }
  | { readonly kind: 'failed'; readonly problem: LabProblem };

/** What the lab's process is told on its input. `folder` is where its socket and logs go, `objects` where its objects are kept; null for nowhere. */
export interface StartOrder {
  readonly spec: LabSpec;
  readonly folder: string;
  readonly objects: string | null;
  readonly rootless: boolean;
}

/** How a lab is started. */
export interface StartOptions {
  /**
   * What becomes of the lab's objects: `none` keeps them in memory alone, `fresh` and `resume` on disk as well, so that
   * they outlive the lab's process. `resume` goes on with those of a lab of this name that was killed.
   */
  readonly objects?: 'none' | 'fresh' | 'resume';
  /** Ends what was started, if it aborts; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

const LOOPBACK = parseIp('127.0.0.1');

// The shell is the first process of the lab's pid namespace: it reaps orphans, and as it ends with
// the lab's process, the kernel ends everything else in there. "exit" keeps it from exec'ing Node.
const INIT = '"$0" "$@"; exit $?';

/**
 * Starts a lab in the background, in namespaces of its own: as root in network, mount and pid
 * namespaces; as another user in a user namespace around them. Returns when every pod is ready.
 * Nothing of a lab outlives its process: its namespaces hold everything, and it holds them.
 * @throws LabError usage: name in use, manifests invalid; environment: no namespaces, tools missing.
 */
export async function startLab(
  spec: LabSpec,
  onProgress: (text: string) => void,
  { objects = 'none', signal }: StartOptions = {},
): Promise<LabStatus> {
  signal?.throwIfAborted();
  if (spec.options.carry === 'relay') {
    throw new LabError('usage', 'only labs in containers have relays: add --backend compose, or --carry kernel');
  }
  const root = await stateFolder();
  const paths = labPaths(root, spec.name);
  refuseLongPath(paths);
  const kinds = namespaceArguments();
  const { launcher, answer, clear } = await whileLocked(root, () =>
    launch(spec, paths, { kinds, objects, onProgress }),
  );
  const interrupted = (): void => {
    kill(launcher);
  };
  signal?.addEventListener('abort', interrupted);
  if (signal?.aborted) interrupted(); // while it was launched
  try {
    return await answer;
  } catch (error) {
    const complaint = (await readFile(paths.log, 'utf8').catch(() => '')).trim(); // "down" has removed it
    await endOf(launcher); // before another may take its place
    await whileLocked(root, () => removeOwn(paths, launcher, clear));
    signal?.throwIfAborted();
    throw error instanceof LabError ? error : notStarted(spec, error, complaint);
  } finally {
    signal?.removeEventListener('abort', interrupted);
    release(launcher);
  }
}

/** The process of a lab that starts. */
interface Launch {
  readonly launcher: ChildProcess;
  /** Resolves when every pod is ready. */
  readonly answer: Promise<LabStatus>;
  /** Removes what it has left if it does not start; what was there before stays. */
  readonly clear: (paths: LabPaths) => Promise<void>;
}

/** Starts the process of a lab, whose record then says that the lab's name is taken. @throws LabError usage if it is already. */
async function launch(spec: LabSpec, paths: LabPaths, { kinds, objects, onProgress }: LaunchOptions): Promise<Launch> {
  const previous = await readRecord(paths);
  if ((previous && isAlive(previous)) || (await composeLabs()).includes(spec.name)) {
    throw new LabError(
      'usage',
      `lab ${spec.name} runs already: end it by "netpol-lab down ${spec.name}", or choose --name`,
    );
  }
  const remove = objects === 'resume' ? removeAllButObjects : removeRemains;
  await remove(paths);
  const clear = previous ? remove : removeRemains;
  await mkdir(paths.folder, { recursive: true, mode: 0o700 });
  const log = await open(paths.log, 'a', 0o600);
  const socket = await hostSocket();
  const launcher = spawn(
    'unshare',
    [...kinds.arguments, '--fork', '--kill-child', 'sh', '-c', INIT, process.execPath, daemonFile()],
    { stdio: ['pipe', log.fd, log.fd, 'pipe', socket], detached: true, env: environment() },
  );
  closeSync(socket);
  // From the start: of a process that has ended, what nobody reads is gone, and with it that there is no more.
  const answer = answerOf(launcher, onProgress);
  answer.catch(() => undefined); // awaited later, unless something fails before
  try {
    await once(launcher, 'spawn');
    await writeRecord(paths, recordOf(spec.name, launcher));
  } catch (error) {
    await endOf(launcher);
    await clear(paths);
    throw notStarted(spec, error);
  } finally {
    await log.close();
  }
  const kept = objects === 'none' ? null : paths.objects;
  const order: StartOrder = {
    spec: carriedBy(spec, 'kernel'),
    folder: paths.folder,
    objects: kept,
    rootless: kinds.rootless,
  };
  launcher.stdin?.on('error', () => undefined); // a lab that died at once is reported by its missing answer
  launcher.stdin?.end(JSON.stringify(order));
  return { launcher, answer, clear };
}

function notStarted({ name }: LabSpec, cause: unknown, complaint = ''): LabError {
  return new LabError('environment', `lab ${name} did not start: ${complaint || String(cause)}`, { cause });
}

interface LaunchOptions {
  readonly kinds: Namespaces;
  readonly objects: NonNullable<StartOptions['objects']>;
  readonly onProgress: (text: string) => void;
}

/** Removes what is left of the launcher's lab, unless another has taken its name since. */
async function removeOwn(paths: LabPaths, launcher: ChildProcess, remove: Launch['clear']): Promise<void> {
  const record = await readRecord(paths);
  if (record === undefined || record.launcherPid === launcher.pid) await remove(paths);
}

/** @throws LabError environment if the lab's socket cannot be where it belongs. */
function refuseLongPath({ folder, socket }: LabPaths): void {
  if (Buffer.byteLength(socket) <= SOCKET_PATH_BYTES) return;
  throw new LabError(
    'environment',
    `${folder} is too long a path for a socket: set XDG_RUNTIME_DIR to a folder with a shorter one, or shorten --name`,
  );
}

const SOCKET_PATH_BYTES = 107; // Source: unix(7)

/** A descriptor bound on the host's loopback, for the lab's process, which is not in the host's network. */
async function hostSocket(): Promise<number> {
  invariant(LOOPBACK, '127.0.0.1 is an address');
  const { boundSocket } = await import('../dataplane/libc.ts');
  return boundSocket({ namespace: undefined, type: 'tcp', address: LOOPBACK, port: 0 });
}

function daemonFile(): string {
  return fileURLToPath(new URL(`./netns/daemon${extname(import.meta.url)}`, import.meta.url));
}

function recordOf(name: string, launcher: ChildProcess): LabRecord {
  const launcherPid = launcher.pid ?? 0;
  return { name, launcherPid, startTicks: startTicks(launcherPid) ?? '' };
}

/** Kills the process, and waits until it is gone. */
async function endOf(launcher: ChildProcess): Promise<void> {
  if (launcher.pid === undefined || launcher.exitCode !== null || launcher.signalCode !== null) return;
  const gone = once(launcher, 'exit');
  kill(launcher);
  await gone;
}

/** Kills the process and the child that it may not have tied to itself yet: they are a process group. */
function kill({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}

/** Lets this process end while the lab lives on. */
function release(launcher: ChildProcess): void {
  for (const stream of launcher.stdio) stream?.destroy();
  launcher.unref();
}

async function answerOf(launcher: ChildProcess, onProgress: (text: string) => void): Promise<LabStatus> {
  const lines = createInterface({ input: launcher.stdio[3] as Readable });
  for await (const line of lines) {
    const message = JSON.parse(line) as StartMessage;
    switch (message.kind) {
      case 'progress':
        onProgress(message.text);
        break;
      case 'ready':
        return message.status;
      case 'failed':
        throw new LabError(message.problem.code === 'usage' ? 'usage' : 'environment', message.problem.message);
    }
  }
  throw new Error('its process ended before it was ready');
}
