import { expect } from 'vitest';
import type { CliLab, Running } from './cli-fixture.ts';

/** What a command line is given, and with which code it is to end. */
export interface KubectlRun {
  readonly input?: string;
  readonly code?: number;
}

/** Words as they are typed, or a list of arguments. */
export type Words = string | readonly string[];

/** Runs kubectl as `netpol-lab kubectl` does; fails unless it ends with that code. @returns its output, then its errors. */
export async function kubectl(lab: CliLab, words: Words, { input = '', code = 0 }: KubectlRun = {}): Promise<string> {
  const { exit, stdout, stderr } = await lab.run('kubectl', ['--', ...wordsOf(words)], input);
  expect(exit, `kubectl ${String(words)}: ${stderr}`).toBe(code);
  return `${stdout}${stderr}`;
}

/** Starts kubectl. */
export function startKubectl(lab: CliLab, words: Words): Running {
  return lab.user.start(['kubectl', '--lab', lab.name, '--', ...wordsOf(words)]);
}

/** Starts kubectl on a terminal of its own, 100 columns wide and 40 rows high. */
export function kubectlOnTerminal(lab: CliLab, words: Words): Running {
  const line = [...lab.user.program, 'kubectl', '--lab', lab.name, '--', ...wordsOf(words)].map(quoted).join(' ');
  // exec: a shell in between would take the terminal's signals as well.
  return lab.user.startProgram(['script', '-qec', `stty cols 100 rows 40; exec ${line}`, '/dev/null']);
}

function wordsOf(words: Words): readonly string[] {
  return typeof words === 'string' ? words.split(' ') : words;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
