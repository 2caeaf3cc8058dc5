import type { StartedCommand } from './exec.ts';
import type { LabClient } from './lab-client.ts';
import type { Lab } from './lab-file.ts';
import type { LabStep } from './lab-schema.ts';
import { makeChanges, type StepChange } from './run-change.ts';
import { tryExpectation } from './run-expectation.ts';
import type { ExpectationResult, RunHost, Trial } from './trial.ts';

/** What became of a step. */
export interface StepResult {
  readonly text: string;
  readonly changes: readonly StepChange[];
  readonly expectations: readonly ExpectationResult[];
}

/** What a run tells as it goes. `number` counts steps from 1. */
export type RunEvent =
  | { readonly kind: 'step'; readonly number: number; readonly step: LabStep }
  | { readonly kind: 'change'; readonly change: StepChange }
  | { readonly kind: 'start'; readonly start: LabStep['start'][number] }
  | { readonly kind: 'expectation'; readonly result: ExpectationResult };

/** How a lab is run: on what machine, who hears of it, and what ends it before its time. */
export interface RunContext {
  readonly host: RunHost;
  readonly report: (event: RunEvent) => unknown;
  readonly signal: AbortSignal;
}

/**
 * Goes through a lab's steps one after the other. An expectation that is not met does not end the run.
 * @throws LabError if the lab cannot make a change or has died; the signal's reason if it aborts.
 */
export async function runLab(lab: Lab, client: LabClient, context: RunContext): Promise<StepResult[]> {
  using commands = new DisposableStack();
  const started = new Map<string, StartedCommand>();
  const results: StepResult[] = [];
  for (const [index, step] of lab.steps.entries()) {
    context.signal.throwIfAborted();
    context.report({ kind: 'step', number: index + 1, step });
    const changes = await makeChanges(client, step);
    for (const change of changes) context.report({ kind: 'change', change });
    for (const start of step.start) {
      const { command, pod } = start;
      started.set(
        start.as,
        commands.use(await context.host.execStart(client, { ...pod, command: ['sh', '-c', command] })),
      );
      context.report({ kind: 'start', start });
    }
    results.push({ text: step.text, changes, expectations: await tryStep(step, { client, started }, context) });
  }
  return results;
}

async function tryStep(
  step: LabStep,
  { client, started }: Pick<Trial, 'client' | 'started'>,
  { host, report, signal }: RunContext,
): Promise<ExpectationResult[]> {
  const { options } = await client.status();
  const expectations: ExpectationResult[] = [];
  for (const expectation of step.expect) {
    const result = await tryExpectation({ client, host, options, started, signal }, expectation);
    signal.throwIfAborted();
    report({ kind: 'expectation', result });
    expectations.push(result);
  }
  return expectations;
}

/** Whether what was expected has happened. */
export function isMet({ failures }: ExpectationResult): boolean {
  return failures.length === 0;
}
