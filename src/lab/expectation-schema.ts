import { z } from 'zod';
import { duration, endpoint, pattern, place, podName, port, text } from './lab-fields.ts';

const denied = z
  .array(z.enum(['egress', 'ingress']))
  .optional()
  .describe('Which sides deny, by the verdict on its last connection that failed; [] if none does.');

const runExpectation = z
  .strictObject({
    run: text.describe('A command line, run by sh -c in the pod.'),
    in: place,
    exit: z.int().min(0).max(255).default(0).describe('The exit code that it must end with.'),
    output: pattern.optional(),
    within: duration.prefault('20s').describe('Its time limit; a command that takes longer fails.'),
    denied,
  })
  .describe('A command in a pod.')
  .transform(({ run, in: pod, exit, output, within, denied }) => ({
    kind: 'run' as const,
    command: run,
    pod,
    exit,
    output: output ?? null,
    withinMs: within,
    denied: denied ?? null,
  }));

const connectExpectation = z
  .strictObject({
    connect: z.strictObject({ from: endpoint, to: endpoint, port }),
    verdict: z.enum(['allow', 'deny']),
    within: duration.prefault('2s').describe('How long to wait for an answer; without one in this time it is denied.'),
    denied,
  })
  .describe('A connection between two ends.')
  .transform(({ connect, verdict, within, denied }) => ({
    kind: 'connect' as const,
    from: connect.from,
    to: connect.to,
    ...connect.port,
    verdict,
    withinMs: within,
    denied: denied ?? null,
  }));

const podExpectation = z
  .strictObject({
    pod: podName,
    is: z.enum(['ready', 'unready', 'succeeded', 'failed', 'gone']).describe('How the pod is, at the latest in time.'),
    within: duration.prefault('20s').describe('How long to wait for that.'),
  })
  .describe('How a pod is.')
  .transform(({ pod, is, within }) => ({ kind: 'pod' as const, pod, is, withinMs: within }));

const startedExpectation = z
  .strictObject({
    started: text.describe('The name of a command that a step has started.'),
    output: pattern.optional(),
    silent: duration.optional().describe('It writes nothing for so long.'),
    within: duration.prefault('5s').describe('How long to wait for the output.'),
  })
  .describe('What a started command writes from now on.')
  .refine(({ output, silent }) => (output === undefined) !== (silent === undefined), {
    error: 'want either output or silent',
    path: ['output'],
  })
  .transform(({ started, output, silent, within }) => ({
    kind: 'started' as const,
    started,
    output: output ?? null,
    withinMs: silent ?? within,
  }));

/** What a step expects, as lab.yaml has it. */
export const expectation = z.union([runExpectation, connectExpectation, podExpectation, startedExpectation]);

/** What a step expects: of a command, of a connection, of a pod, or of a command that was started before. */
export type Expectation = z.output<typeof expectation>;

/** A command in a pod, and what it must do. */
export type RunExpectation = Extract<Expectation, { kind: 'run' }>;

/** A connection, and whether it must pass. */
export type ConnectExpectation = Extract<Expectation, { kind: 'connect' }>;

/** How a pod must be, and how long that may take. */
export type PodExpectation = Extract<Expectation, { kind: 'pod' }>;

/** What a started command must write within that time; nothing at all if `output` is null. */
export type StartedExpectation = Extract<Expectation, { kind: 'started' }>;
