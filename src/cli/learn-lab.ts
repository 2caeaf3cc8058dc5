import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface, type Interface } from 'node:readline';
import type { LabClient } from '../lab/lab-client.ts';
import { toSpec } from '../lab/lab-file.ts';
import { LabError } from '../model/lab-error.ts';
import { printable } from '../report/printable.ts';
import { LabSession } from './lab-session.ts';
import { LearnDialogue } from './learn-dialogue.ts';
import type { Lesson } from './lesson.ts';
import { wrapped } from './prose.ts';
import type { Terminal } from './terminal.ts';

const PROMPT = '> ';

/**
 * Starts the lab and goes through the learner's commands: typed, or read from stdin if that is no terminal. The lab
 * is down when this returns or throws, also after a signal.
 * @returns 0 if the task was solved, else 1. @throws Interrupted after a signal.
 */
export async function learnLab(lesson: Lesson, terminal: Terminal): Promise<number> {
  const { lab, task, file } = lesson;
  await terminal.print(`${lab.name}: ${lab.title}\n\n${wrapped(task.task)}\n`);
  await beginFile(lesson);
  await using session = new LabSession();
  return await session.during(async () => {
    const name = `learn-${lab.name}`.slice(0, 40);
    const { client } = await session.start(await toSpec(lab, name, {}), (text) => {
      terminal.progress(text);
    });
    await terminal.print(
      `Lab ${name} is up. Write your policies to ${file}, then type "check"; "help" lists the rest.`,
    );
    const solved = await converse(lesson, client, { terminal, signal: session.signal });
    session.signal.throwIfAborted();
    return solved ? 0 : 1;
  });
}

/** Begins the learner's file, unless it is there. */
async function beginFile({ lab, task, file }: Lesson): Promise<void> {
  if (existsSync(file)) return;
  const comment = wrapped(task.task, 100 - 2).replaceAll(/^/gm, '# ');
  const start = task.start === null ? '' : await readFile(task.start, 'utf8');
  await writeFile(file, `# ${lab.name}: ${lab.title}\n${comment}\n${start}`).catch((cause: unknown) => {
    throw new LabError('usage', `${file} cannot be written`, { cause });
  });
}

async function converse(
  lesson: Lesson,
  client: LabClient,
  { terminal, signal }: { terminal: Terminal; signal: AbortSignal },
): Promise<boolean> {
  const dialogue = new LearnDialogue(lesson, client);
  const isTyped = process.stdin.isTTY;
  const lines = createInterface({ input: process.stdin, ...(isTyped ? { output: process.stdout } : {}) });
  endWith(lines, signal);
  lines.setPrompt(PROMPT);
  if (isTyped) lines.prompt();
  for await (const line of lines) {
    if (!isTyped) await terminal.print(`${PROMPT}${printable(line)}`);
    await terminal.print(await answer(dialogue, line));
    if (dialogue.isOver) break;
    if (isTyped) lines.prompt();
  }
  lines.close();
  return dialogue.isSolved;
}

/** Ctrl-C reaches a typed dialogue as a key, and ends it as the signal would. */
function endWith(lines: Interface, signal: AbortSignal): void {
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  signal.addEventListener('abort', () => {
    lines.close();
  });
}

/** What a learner can mend is an answer, and the dialogue goes on. */
async function answer(dialogue: LearnDialogue, line: string): Promise<string> {
  try {
    return await dialogue.answer(line);
  } catch (error) {
    if (error instanceof LabError && error.code === 'usage') return `error: ${printable(error.message)}`;
    throw error;
  }
}
