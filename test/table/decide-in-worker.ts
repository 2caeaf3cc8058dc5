import { parentPort, workerData } from 'node:worker_threads';
import type { Connection } from '../../src/model/verdict.ts';
import { openTable } from '../../src/table/decider.ts';
import { decideByNumbers } from '../reference/numbers.ts';

/** The number of each question's verdict. */
export type Answers = readonly number[];

const { buffer, questions } = workerData as { buffer: SharedArrayBuffer; questions: readonly Connection[] };
const decider = openTable(buffer);
const answers: Answers = questions.map((question) => decideByNumbers(decider, question));
parentPort?.postMessage(answers);
