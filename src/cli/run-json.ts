import type { ExpectationResult } from '../lab/trial.ts';
import { isMet, type StepResult } from '../lab/runner.ts';
import type { LabResult, Tally } from './lab-result.ts';

/** A run as `run -o json` prints it. */
export function runJson(runs: readonly LabResult[], tally: Tally & { readonly seconds: number }): unknown {
  return {
    labs: runs.map(({ lab, steps, error, seconds }) => ({
      name: lab.name,
      title: lab.title,
      steps: steps.map(stepJson),
      error: error?.message ?? null,
      seconds,
    })),
    ...tally,
  };
}

function stepJson({ text, changes, expectations }: StepResult): unknown {
  return { text, changes, expectations: expectations.map(expectationJson) };
}

function expectationJson(result: ExpectationResult): unknown {
  const { failures, ms, flows, decisive } = result;
  return { ...attemptJson(result), ms, met: isMet(result), failures, decisive, flows };
}

function attemptJson(result: ExpectationResult): Readonly<Record<string, unknown>> {
  switch (result.kind) {
    case 'run': {
      const { command, exit, output } = result.expectation;
      const expected = { exit, output: output?.source ?? null };
      return { run: command, in: result.pod, expected, exit: result.exit, output: result.output };
    }
    case 'connect': {
      const { from, to, port, protocol, verdict } = result.expectation;
      return { connect: { from, to, port, protocol }, expected: { verdict }, outcome: result.outcome };
    }
    case 'pod': {
      const { pod, is } = result.expectation;
      return { pod: `${pod.namespace}/${pod.name}`, expected: { is }, is: result.seen };
    }
    case 'started': {
      const { started, output } = result.expectation;
      return { started, expected: { output: output?.source ?? null }, output: result.output };
    }
  }
}
