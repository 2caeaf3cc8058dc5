import { parentPort, workerData } from 'node:worker_threads';
import { openTable } from '../../src/table/decider.ts';

/** What a reader is started with. `control` counts changes in its first word; the second stops the reader. */
export interface HammerData {
  readonly buffer: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  /** Four numbers for each question: source, destination, IP protocol, port. */
  readonly questions: readonly number[];
}

/** How many answers a reader gave to each question in each state of the table, state by state. */
export interface HammerReport {
  readonly decisions: number;
  /** Of each question, which answers it was ever given, as bits. */
  readonly answers: readonly number[];
}

const { buffer, control, questions } = workerData as HammerData;
const words = new Int32Array(control);
const decider = openTable(buffer);
const answers = Array<number>(questions.length / 4).fill(0);
let decisions = 0;
Atomics.store(words, 0, 1);
Atomics.notify(words, 0);
while (Atomics.load(words, 1) === 0) {
  for (let index = 0; index < answers.length; index++) {
    const [source = 0, destination = 0, protocol = 0, port = 0] = questions.slice(4 * index, 4 * index + 4);
    answers[index] = (answers[index] ?? 0) | (1 << decider.decide4(source, destination, protocol, port));
    decisions += 1;
  }
}
const report: HammerReport = { decisions, answers };
parentPort?.postMessage(report);
