import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The files and the name that a pod sees as its own. Paths are on this machine. */
export interface PodFiles {
  readonly resolvConf: string;
  readonly hosts: string;
  readonly hostname: string;
}

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
