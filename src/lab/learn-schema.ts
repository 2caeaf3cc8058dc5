import { z } from 'zod';
import { endpoint, path, port, text } from './lab-fields.ts';

const connection = z
  .strictObject({ from: endpoint, to: endpoint, port, verdict: z.enum(['allow', 'deny']) })
  .describe('A connection, and what must become of it.')
  .transform(({ from, to, port, verdict }) => ({ from, to, ...port, verdict }));

/** What `learn` needs of a lab: a task, and how what is written for it is graded. */
export const learn = z
  .strictObject({
    task: text.describe('What the policies must do.'),
    hints: z.array(text).min(1).describe('Help, the broadest first; each that is taken costs points.'),
    start: path.optional().describe("A manifest that the learner's file begins with."),
    solution: z.array(path).min(1).describe('Manifests that solve the task.'),
    expect: z.array(connection).min(2).describe('The connections by which policies are graded. All pass without any.'),
  })
  .describe('A task for whoever wants to write the policies.')
  .transform(({ start, ...rest }) => ({ ...rest, start: start ?? null }));

/** A task, and how what is written for it is graded. */
export type LearnTask = z.output<typeof learn>;

/** A connection by which policies are graded. */
export type LearnConnection = LearnTask['expect'][number];
