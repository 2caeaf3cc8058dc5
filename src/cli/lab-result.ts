import type { Lab } from '../lab/lab-file.ts';
import { isMet, type StepResult } from '../lab/runner.ts';
import type { LabError } from '../model/lab-error.ts';

/** What was found in a lab. With an error it was not run to its end, and there are no steps. */
export interface LabResult {
  readonly lab: Lab;
  readonly steps: readonly StepResult[];
  readonly error: LabError | undefined;
  readonly seconds: number;
}

/** How many expectations were met, and how many were not. */
export interface Tally {
  readonly met: number;
  readonly failed: number;
}

/** The expectations of a lab's run, counted. */
export function tallyOf({ steps }: LabResult): Tally {
  const results = steps.flatMap(({ expectations }) => expectations);
  const met = results.filter(isMet).length;
  return { met, failed: results.length - met };
}

/** The expectations of all runs, counted. */
export function totalOf(results: readonly LabResult[]): Tally {
  const tallies = results.map(tallyOf);
  return {
    met: tallies.reduce((sum, { met }) => sum + met, 0),
    failed: tallies.reduce((sum, { failed }) => sum + failed, 0),
  };
}
