import { readFile } from 'node:fs/promises';
import { execCapture } from '../lab/exec.ts';
import { grade, scoreOf, type GradedConnection } from '../lab/exercise.ts';
import type { LabClient } from '../lab/lab-client.ts';
import { readLabManifests } from '../lab/lab-manifests.ts';
import { placeNamed } from '../lab/lab-fields.ts';
import { suggestion } from '../model/nearest-name.ts';
import { printable, printableLine } from '../report/printable.ts';
import type { Lesson } from './lesson.ts';
import { wrapped } from './prose.ts';

const HELP = `task              what is to be done
hint              a hint; each costs 10 points
check [FILE]      puts your policies in force and tries the connections of the task
exec POD COMMAND  runs a command in a pod: exec default/client curl -m 2 http://web
solution          policies that solve it; after that there are no points
quit              ends the lab`;

const COMMANDS = ['task', 'hint', 'check', 'exec', 'solution', 'help', 'quit'];
const EXEC_MS = 20_000;

/** A learner's commands and what they are answered. */
export class LearnDialogue {
  readonly #lesson: Lesson;
  readonly #client: LabClient;
  #hints = 0;
  #isSpoiled = false;
  #isSolved = false;
  #isOver = false;

  constructor(lesson: Lesson, client: LabClient) {
    this.#lesson = lesson;
    this.#client = client;
  }

  /** Whether the last check met every connection. */
  get isSolved(): boolean {
    return this.#isSolved;
  }

  /** Whether nothing is left to be said. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Does what a line says. @throws LabError usage for what the learner can mend. */
  async answer(line: string): Promise<string> {
    const [command = '', ...words] = line.trim().split(/\s+/);
    switch (command) {
      case '':
        return '';
      case 'task':
        return wrapped(this.#lesson.task.task);
      case 'hint':
        return this.#hint();
      case 'check':
        return this.#check(words[0] ?? this.#lesson.file);
      case 'exec':
        return this.#exec(words);
      case 'solution':
        return this.#solution();
      case 'help':
        return HELP;
      case 'quit':
        this.#isOver = true;
        return 'The lab is going down.';
      default:
        return `no command "${printableLine(command)}"${suggestion(command, COMMANDS)}; "help" lists them`;
    }
  }

  #hint(): string {
    const { hints } = this.#lesson.task;
    const hint = hints[this.#hints];
    if (hint === undefined) return 'There is no further hint; "solution" shows policies that solve it.';
    this.#hints += 1;
    return wrapped(`Hint ${this.#hints} of ${hints.length}: ${hint}`);
  }

  async #check(file: string): Promise<string> {
    const files = await readLabManifests([file]);
    const graded = await grade(this.#client, files, this.#lesson.task.expect);
    const wrong = graded.filter(({ isMet }) => !isMet);
    this.#isSolved = wrong.length === 0;
    this.#isOver = this.#isSolved;
    const points = this.#isSpoiled ? 0 : scoreOf(graded, this.#hints);
    const summary = this.#isSolved
      ? `All ${graded.length} connections are as they should be: solved.`
      : `${graded.length} connections tried, ${wrong.length} not as they should be:`;
    return [summary, ...wrong.flatMap(wrongLines), `Score: ${points} of 100${this.#taken()}`].join('\n');
  }

  #taken(): string {
    if (this.#isSpoiled) return ', as the solution was shown';
    if (this.#hints === 0) return '';
    return `, with ${this.#hints} ${this.#hints === 1 ? 'hint' : 'hints'}`;
  }

  async #exec([pod = '', ...words]: readonly string[]): Promise<string> {
    const place = placeNamed(pod);
    if (!place || words.length === 0) return 'Say where and what: exec default/client curl -m 2 http://web';
    const command = ['sh', '-c', words.join(' ')];
    const { exit, output } = await execCapture(this.#client, { ...place, command, timeoutMs: EXEC_MS });
    return `${printable(output).trimEnd()}\nexit code ${exit}`.trimStart();
  }

  async #solution(): Promise<string> {
    this.#isSpoiled = true;
    const texts = await Promise.all(this.#lesson.task.solution.map((path) => readFile(path, 'utf8')));
    return texts.join('---\n').trimEnd();
  }
}

function wrongLines({ connection, outcome, reason }: GradedConnection): string[] {
  const { from, to, port, protocol, verdict } = connection;
  const met = verdict === 'deny' ? 'passes, and should not' : `should pass, and met ${outcome}`;
  return [`  ${from} -> ${to} ${port}/${protocol} ${met}`, `    ${reason}`];
}
