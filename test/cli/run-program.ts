import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** How a run of the program ended. */
export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run it. `state` is the folder where running labs are looked for; none of the machine's own are seen. */
export interface RunOptions {
  readonly state: string;
  readonly stdin?: string;
  readonly cwd?: string;
  readonly nodeOptions?: readonly string[];
  /** What a shell is to do with stdout: `| head`, `> FILE`; `stdout` is then what is printed in the end. */
  readonly redirect?: string;
}

const PROGRAM = fileURLToPath(new URL('../../src/cli/netpol-lab.ts', import.meta.url));

/** Runs netpol-lab as a process of its own, as a user's shell would. */
export async function runProgram(args: readonly string[], options: RunOptions): Promise<Ended> {
  const command = [process.execPath, ...(options.nodeOptions ?? []), PROGRAM, ...args];
  const shell = `set -o pipefail; "$@" ${options.redirect ?? ''}`;
  const [program = '', ...rest] = options.redirect === undefined ? command : ['bash', '-c', shell, 'bash', ...command];
  const child = spawn(program, rest, {
    cwd: options.cwd,
    // Stripping types anew takes half of each run's time.
    env: { ...process.env, XDG_RUNTIME_DIR: options.state, NODE_COMPILE_CACHE: join(options.state, 'compile-cache') },
  });
  child.stdin.on('error', () => undefined); // a program that has ended already reads nothing more
  child.stdin.end(options.stdin ?? '');
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { exitCode, stdout, stderr };
}
