import { endpointText } from '../model/endpoint.ts';
import { painter } from '../report/color.ts';
import { printableLine } from '../report/printable.ts';
import type { Expectation } from './expectation-file.ts';
import type { Result } from './judge.ts';
import { portText } from './served-ports.ts';

/** `default/client -> default/web 80/TCP deny`. */
export function expectationText(expectation: Expectation): string {
  const { from, to, verdict } = expectation;
  return `${endpointText(from)} -> ${endpointText(to)} ${portText(expectation)} ${verdict}`;
}

/** A result in a line, and under one that failed a line for each connection that differs. */
export function resultText(result: Result, color: boolean): string {
  const paint = painter(color);
  const { expectation, failures } = result;
  const { file, line } = expectation;
  const text = printableLine(expectationText(expectation));
  if (failures.length === 0) return `${paint('green', 'ok')}      ${text}`;
  return [
    `${paint('red', 'FAILED')}  ${text}  ${paint('dim', printableLine(`${file}:${line}`))}`,
    ...failures.map((failure) => `        ${printableLine(failure)}`),
  ].join('\n');
}
