import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { inNamespace } from '../../dataplane/libc.ts';

/** The files and the name that a pod sees as its own. Paths are on this machine. */
export interface PodFiles {
  readonly resolvConf: string;
  readonly hosts: string;
  readonly hostname: string;
}

/** A command of a container. `namespace` is the pod's network; `log` a descriptor for its output. */
export interface CommandStart {
  readonly namespace: number;
  readonly files: PodFiles;
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly log: number;
}

const KILL_AFTER_MS = 1_000; // a lab ends quickly; Kubernetes' default would be 30 s

// mount and uts namespaces of its own: what is bound over /etc here is seen by this command alone.
const ENTER = `
mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/hosts && hostname "$3" || exit 125
shift 3
command -v "$1" >/dev/null || { echo "netpol-lab: $1: not found on this machine" >&2; exit 127; }
exec "$@"`;

/** Program and arguments that give a command the pod's resolv.conf, hosts file and hostname. Put the command behind them. */
export function podEntry(files: PodFiles): string[] {
  return ['unshare', '--mount', '--uts', 'sh', '-c', ENTER, 'pod', files.resolvConf, files.hosts, files.hostname];
}

/** Starts a container's command in its pod, as the leader of a process group of its own. */
export function startCommand({ namespace, files, command, environment, log }: CommandStart): ChildProcess {
  const [program = '', ...args] = [...podEntry(files), ...command];
  return inNamespace(namespace, () =>
    spawn(program, args, { stdio: ['ignore', log, log], detached: true, env: environment }),
  );
}

/** Ends a command and its process group: asks first, then kills. Resolves when it is gone. */
export async function endCommand(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const group = -child.pid;
  const closed = once(child, 'close');
  signalGroup(group, 'SIGTERM');
  const timer = setTimeout(() => {
    signalGroup(group, 'SIGKILL');
  }, KILL_AFTER_MS);
  await closed;
  clearTimeout(timer);
  signalGroup(group, 'SIGKILL'); // what the command left behind in its group
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(group, signal);
  } catch {
    // The group has ended meanwhile.
  }
}

/** Whether a program is on this machine: a path, or a name in PATH. */
export function hasProgram(program: string): boolean {
  if (program.includes('/')) return isExecutable(program);
  return (process.env.PATH ?? '').split(delimiter).some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
