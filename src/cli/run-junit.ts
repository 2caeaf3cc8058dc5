import type { ExpectationResult } from '../lab/trial.ts';
import type { JunitCase, JunitSuite } from '../report/junit.ts';
import { reasonText } from '../report/verdict-text.ts';
import { attemptText } from './attempt-text.ts';
import type { LabResult } from './lab-result.ts';

/** A lab's run as a suite: a case an expectation, and one of its own for what kept the lab from being run. */
export function junitSuite({ lab, steps, error, seconds }: LabResult): JunitSuite {
  const cases = steps.flatMap(({ expectations }, step) =>
    expectations.map((result, index): JunitCase => {
      return {
        name: `step ${step + 1}: ${attemptText(result)}`,
        file: lab.file,
        line: lab.lineOf(['steps', step, 'expect', index]),
        failures: failuresOf(result),
      };
    }),
  );
  if (error) cases.push({ name: 'runs to its end', file: lab.file, line: 1, failures: [error.message] });
  return { name: lab.name, seconds, cases };
}

/** What is wrong, and what the network did. */
function failuresOf({ failures, decisive }: ExpectationResult): readonly string[] {
  if (failures.length === 0) return [];
  return [...failures, ...(decisive ? [reasonText(decisive)] : ['no packet left the pod'])];
}
