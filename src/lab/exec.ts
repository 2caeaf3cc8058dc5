import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
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

const KILLED = 128 + constants.signals.SIGKILL;
const FORWARDED: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];
const FROM_KEYBOARD: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/**
 * Runs a command in a pod on this process's own terminal, input and output.
 * Signals reach the command; one from the keyboard does so by itself. If the lab ends, so does the command: it is in
 * the lab's pid namespace.
 * @returns its exit code, 128 + the signal's number if a signal ended it.
 */
export async function execInPod(client: LabClient, command: PodCommand): Promise<number> {
  const target = await client.execTarget(command);
  const onTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const enter = (onTerminal ? target.enterOnTerminal : undefined) ?? target.enter;
  const [program = 'false', ...args] = [...enter, ...command.command];
  // A command elsewhere is signalled by name: what carries its streams must not die of the signal before it.
  const detached = target.signal !== undefined && !onTerminal;
  const child = spawn(program, args, { stdio: 'inherit', detached });
  const forward = (signal: NodeJS.Signals): void => {
    signalCommand(target, child, signal);
  };
  const onKeyboard = (signal: NodeJS.Signals): void => {
    if (detached || !process.stdin.isTTY) forward(signal); // else the terminal signals the whole group
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  for (const signal of FROM_KEYBOARD) process.on(signal, onKeyboard);
  try {
    return await exitCode(child);
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
    for (const signal of FROM_KEYBOARD) process.off(signal, onKeyboard);
  }
}

/**
 * Runs a program of this machine on this process's own terminal, input and output, in this environment.
 * @returns its exit code as execInPod() does; undefined if there is no such program.
 */
export async function runHere(
  [program = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number | undefined> {
  const child = spawn(program, args, { stdio: 'inherit', env });
  const forward = (signal: NodeJS.Signals): void => {
    if (!process.stdin.isTTY || FORWARDED.includes(signal)) child.kill(signal);
  };
  const signals = [...FORWARDED, ...FROM_KEYBOARD];
  for (const signal of signals) process.on(signal, forward);
  try {
    return await exitCode(child);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}

/** Runs a command in a pod without input and takes its output. Past `timeoutMs` it is killed. */
export async function execCapture(client: LabClient, command: PodCommand & { timeoutMs: number }): Promise<Captured> {
  const target = await client.execTarget(command);
  const started = performance.now();
  const limit = ['timeout', '--signal=KILL', String(command.timeoutMs / 1000)]; // ends the command's children too
  // The shell gives both streams one pipe, so that lines stay in the order in which they were written.
  const shell = ['sh', '-c', 'exec "$@" 2>&1', 'sh', ...limit, ...command.command];
  const [program = 'false', ...args] = [...target.enter, ...shell];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const exit = await exitCode(child);
  const ms = performance.now() - started;
  return {
    exit,
    output: Buffer.concat(chunks).toString('utf8'),
    ms,
    timedOut: exit === KILLED && ms >= command.timeoutMs,
  };
}

/** A command that goes on in a pod. Disposing ends it; it also ends with its lab. */
export interface StartedCommand extends Disposable {
  /** What it has written since the last call, stdout and stderr as they came. */
  take(): string;
}

/** Starts a command in a pod, without input, and does not wait for it. */
export async function execStart(client: LabClient, command: PodCommand): Promise<StartedCommand> {
  const target = await client.execTarget(command);
  const [program = 'false', ...args] = [...target.enter, 'sh', '-c', 'exec "$@" 2>&1', 'sh', ...command.command];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.on('error', (error) => (output += `${error.message}\n`));
  return {
    take: () => {
      const taken = output;
      output = '';
      return taken;
    },
    [Symbol.dispose]: () => {
      signalCommand(target, child, 'SIGKILL');
    },
  };
}

/** Signals the command itself: the child is only its parent (nsenter), or carries its streams (docker). */
function signalCommand(target: ExecTarget, child: ChildProcess, signal: NodeJS.Signals): void {
  if (target.signal) {
    const [program, ...args] = [...target.signal, signal.replace(/^SIG/, '')];
    spawn(program, args, { stdio: 'ignore' });
    return;
  }
  try {
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    for (const pid of children.split(' ').filter((text) => text !== '')) process.kill(Number(pid), signal);
  } catch {
    child.kill(signal); // it has ended, or has not forked yet
  }
}

async function exitCode(child: ChildProcess): Promise<number> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
