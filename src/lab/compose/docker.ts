import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { LabError } from '../../model/lab-error.ts';

/** How a docker command goes. `onLine` gets what it says of its progress, a line each. */
export interface DockerOptions {
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** What a docker command did. */
export interface DockerOutcome {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs docker. @throws LabError environment if there is no docker; the signal's reason if it aborts. */
export async function tryDocker(
  args: readonly string[],
  { onLine, signal }: DockerOptions = {},
): Promise<DockerOutcome> {
  const child = spawn('docker', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): void => void child.kill();
  signal?.addEventListener('abort', end);
  if (onLine) {
    child.stderr.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString('utf8').split('\n')) if (line.trim() !== '') onLine(line.trim());
    });
  }
  try {
    const [stdout, stderr, exit] = await Promise.all([text(child.stdout), text(child.stderr), exitOf(child)]);
    signal?.throwIfAborted();
    return { exit, stdout, stderr };
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

/** The output of a docker command that is to succeed. @throws LabError environment with what docker says. */
export async function docker(args: readonly string[], options: DockerOptions = {}): Promise<string> {
  const { exit, stdout, stderr } = await tryDocker(args, options);
  if (exit !== 0) throw new LabError('environment', `docker ${args[0] ?? ''} failed: ${stderr.trim()}`);
  return stdout.trim();
}

async function exitOf(child: ChildProcess): Promise<number> {
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code ?? 1;
  } catch (cause) {
    throw new LabError('environment', 'labs in containers need Docker: its command "docker" is not on this machine', {
      cause,
    });
  }
}
