import { isMet, type StepResult } from '../lab/runner.ts';
import { painter } from '../report/color.ts';
import { printableLine } from '../report/printable.ts';
import { tallyOf, type LabResult } from './lab-result.ts';
import { RunText } from './run-text.ts';

/** A lab's run in a line, and below it what failed. `width` is that of the longest name. */
export function briefText(result: LabResult, { width, color }: { width: number; color: boolean }): string {
  const { lab, steps, error, seconds } = result;
  const { met, failed } = tallyOf(result);
  const paint = painter(color);
  const name = lab.name.padEnd(width);
  const bad = (text: string): string => `${paint('red', 'FAILED')}  ${name}  ${text}`;
  if (error) return bad(printableLine(error.message));
  const time = `in ${seconds.toFixed(1)} s`;
  if (failed === 0) return `${paint('green', 'ok')}      ${name}  ${met} expectations met ${time}`;
  const details = steps.flatMap((step, index) => failedIn(step, { number: index + 1, color }));
  return [bad(`${failed} of ${met + failed} expectations not met ${time}`), ...details].join('\n');
}

function failedIn({ text, expectations }: StepResult, { number, color }: { number: number; color: boolean }): string[] {
  const failed = expectations.filter((result) => !isMet(result));
  if (failed.length === 0) return [];
  const words = new RunText(color);
  const told = failed.map((result) => words.event({ kind: 'expectation', result }));
  return [`\nStep ${number}: ${printableLine(text)}\n`, ...told];
}
