import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** The files and the name that a pod sees as its own. Paths are on this machine. */
export interface PodFiles {
  readonly resolvConf: string;
  readonly hosts: string;
  readonly hostname: string;
}

// mount and uts namespaces of its own: what is bound over /etc here is seen by this command alone.
const ENTER = `
mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/hosts && hostname "$3" || exit 125
[ -z "$4" ] || cd -- "$4" 2>/dev/null || { echo "netpol-lab: $4: no such folder on this machine: begins in /" >&2; cd /; }
shift 4
command -v "$1" >/dev/null || { echo "netpol-lab: $1: not found on this machine" >&2; exit 127; }
exec "$@"`;

/**
 * Program and arguments that give a command the pod's resolv.conf, hosts file and hostname. Put the command behind them.
 * @param workingDir where it begins, or in / where this machine lacks that folder; where its parent is if it is empty.
 */
export function podEntry({ resolvConf, hosts, hostname }: PodFiles, workingDir = ''): string[] {
  return ['unshare', '--mount', '--uts', 'sh', '-c', ENTER, 'pod', resolvConf, hosts, hostname, workingDir];
}

/** Whether a program is on this machine: a path, from a working directory if it is relative, or a name in PATH. */
export function hasProgram(program: string, workingDir: string): boolean {
  if (program.includes('/')) return isExecutable(resolve(workingDir, program));
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
