import type { Lab } from '../lab/lab-file.ts';
import type { LearnTask } from '../lab/learn-schema.ts';

/** A lab's task, and the learner's file of policies. */
export interface Lesson {
  readonly lab: Lab;
  readonly task: LearnTask;
  readonly file: string;
}
