import { spawnSync } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { LabError } from '../model/lab-error.ts';

const REQUIRED_TOOLS = [
  'unshare',
  'nsenter',
  'ip',
  'nft',
  'iptables-restore',
  'ip6tables-restore',
  'mount',
  'setsid',
  'hostname',
];

/** Arguments of unshare. */
export interface Namespaces {
  readonly arguments: readonly string[];
  readonly rootless: boolean;
}

/** The namespaces that this machine lets this user make. @throws LabError environment if it lets none. */
export function namespaceArguments(): Namespaces {
  requireTools();
  const plain = ['--net', '--mount', '--pid'];
  const rootless = ['--user', '--map-root-user', ...plain];
  if (process.getuid?.() === 0 && canUnshare(plain)) return { arguments: plain, rootless: false };
  if (canUnshare(rootless)) return { arguments: rootless, rootless: true };
  throw new LabError(
    'environment',
    'this user may not make network namespaces: run as root, or allow user namespaces ' +
      '(sysctl kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0; in Docker: --privileged)',
  );
}

function canUnshare(kinds: readonly string[]): boolean {
  return spawnSync('unshare', [...kinds, '--fork', 'true'], { stdio: 'ignore', env: environment() }).status === 0;
}

function requireTools(): void {
  if (process.platform !== 'linux') {
    throw new LabError(
      'environment',
      'labs in network namespaces need Linux: use a Linux machine, a virtual machine or WSL 2',
    );
  }
  const look = 'for tool; do command -v "$tool" >/dev/null || echo "$tool"; done';
  const { stdout } = spawnSync('sh', ['-c', look, 'sh', ...REQUIRED_TOOLS], { encoding: 'utf8', env: environment() });
  const missing = stdout.split('\n').filter((tool) => tool !== '');
  if (missing.length > 0) {
    throw new LabError(
      'environment',
      `missing on this machine: ${missing.join(', ')}; on Debian or Ubuntu: apt-get install iproute2 nftables iptables util-linux hostname`,
    );
  }
}

/**
 * This process's environment, with the folders of system tools, which an ordinary user's PATH often lacks, and with
 * Node's cache of compiled code, which saves the lab a third of its loading.
 */
export function environment(): NodeJS.ProcessEnv {
  const cache = getCompileCacheDir();
  return {
    ...process.env,
    ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) }),
    PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`,
  };
}
