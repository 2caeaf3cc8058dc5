import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { HttpLabClient } from './http-client.ts';
import type { ExecTarget, LabClient } from './lab-client.ts';

/** A command to run in a pod. `pod` is a pod's name or KIND/NAME; `command` is a program and its arguments. */
export interface PodCommand {
  readonly namespace: string;
  readonly pod: string;
  readonly command: readonly string[];
}

/** What a command did. `exit` is 128 + the signal's number if one ended it; `output` is stdout and stderr as they came. */
export interface Captured {
  readonly exit: number;
  readonly output: string;
  readonly ms: number;
  readonly timedOut: boolean;
}

const FORWARDED: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];
const FROM_KEYBOARD: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/**
 * Runs a command in a pod on this process's own terminal, input and output.
 * Signals reach the command; one from the keyboard does so by itself. If the lab ends, so does the command.
 * @returns its exit code, 128 + the signal's number if a signal ended it.
 */
export async function execInPod(client: HttpLabClient, command: PodCommand): Promise<number> {
  const target = await client.execTarget(command);
  const child = start(target, command.command, 'inherit');
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  const onKeyboard = (signal: NodeJS.Signals): void => {
    if (process.stdin.isTTY !== true) child.kill(signal); // else the terminal signals the whole group
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  for (const signal of FROM_KEYBOARD) process.on(signal, onKeyboard);
  const done = new AbortController();
  void client.ended(done.signal).then(() => {
    if (!done.signal.aborted) child.kill('SIGKILL');
  });
  try {
    return await exitCode(child);
  } finally {
    done.abort();
    for (const signal of FORWARDED) process.off(signal, forward);
    for (const signal of FROM_KEYBOARD) process.off(signal, onKeyboard);
  }
}

/** Runs a command in a pod without input and takes its output. Past `timeoutMs` it is killed. */
export async function execCapture(client: LabClient, command: PodCommand & { timeoutMs: number }): Promise<Captured> {
  const target = await client.execTarget(command);
  const started = performance.now();
  // The shell gives both streams one pipe, so that lines stay in the order in which they were written.
  const child = start(target, ['sh', '-c', 'exec "$@" 2>&1', 'sh', ...command.command], ['ignore', 'pipe', 'inherit']);
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, command.timeoutMs);
  const exit = await exitCode(child);
  clearTimeout(timer);
  return { exit, output: Buffer.concat(chunks).toString('utf8'), ms: performance.now() - started, timedOut };
}

function start(
  target: ExecTarget,
  command: readonly string[],
  stdio: 'inherit' | ['ignore', 'pipe', 'inherit'],
): ChildProcess {
  const [program = 'false', ...args] = [...target.enter, ...command];
  return spawn(program, args, { stdio });
}

async function exitCode(child: ChildProcess): Promise<number> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
