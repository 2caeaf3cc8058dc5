import type { FlowEvent } from '../flows/flow-event.ts';
import type { LabStatus } from '../lab/lab-client.ts';
import type { Lab } from '../lab/lab-file.ts';
import type { LabStep } from '../lab/lab-schema.ts';
import type { StepChange } from '../lab/run-change.ts';
import type { ConnectResult, ExpectationResult, RunResult } from '../lab/trial.ts';
import type { RunEvent } from '../lab/runner.ts';
import { painter, type Paint } from '../report/color.ts';
import { printable, printableLine } from '../report/printable.ts';
import { reasonText } from '../report/verdict-text.ts';
import { attemptText } from './attempt-text.ts';
import { resultText } from './change-report.ts';
import { PROSE_WIDTH, wrapped } from './prose.ts';
import type { Tally } from './lab-result.ts';

/** A run for people, piece by piece, each ready to be written. */
export class RunText {
  readonly #paint: Paint;

  constructor(color: boolean) {
    this.#paint = painter(color);
  }

  /** The lab's title and what it teaches. */
  heading({ name, title, teaches }: Lab): string {
    const rule = '='.repeat(Math.min(PROSE_WIDTH, name.length + title.length + 2));
    return `${this.#paint('bold', printableLine(`${name}: ${title}`))}\n${rule}\n${wrapped(teaches)}\n`;
  }

  /** That the lab runs. */
  ready({ pods, external, warnings }: LabStatus, ms: number): string {
    const hosts = external.length === 0 ? '' : ` and ${external.length} outside the cluster`;
    const ready = this.#paint('dim', `${pods.length} pods${hosts}, ready after ${secondsText(ms)}`);
    return [ready, ...warnings.map((warning) => printableLine(`warning: ${warning}`)), ''].join('\n');
  }

  /** What a run tells as it goes. */
  event(event: RunEvent): string {
    switch (event.kind) {
      case 'step':
        return `\n${this.#paint('bold', wrapped(`Step ${event.number}: ${event.step.text}`))}\n`;
      case 'change':
        return `\n${this.#change(event.change)}\n`;
      case 'start':
        return `\n${this.#start(event.start)}\n`;
      case 'expectation':
        return `\n${this.#expectation(event.result)}\n`;
    }
  }

  /** The last line: how many expectations were met, and how long it all took. */
  tally({ met, failed }: Tally, seconds: number): string {
    const text = `${met} expectations met, ${failed} failed in ${seconds.toFixed(1)} s`;
    return this.#paint(failed === 0 ? 'green' : 'red', text);
  }

  #change({ command, results, warnings, enforcedMs }: StepChange): string {
    const done = results.map((result) => printableLine(resultText(result)));
    return [
      this.#paint('bold', printableLine(`$ netpol-lab ${command}`)),
      ...warnings.map((warning) => `    warning: ${printableLine(warning)}`),
      ...done.map((line) => `    ${line}`),
      this.#paint('dim', `  in force after ${enforcedMs.toFixed(1)} ms`),
    ].join('\n');
  }

  #start({ pod, command, as }: LabStep['start'][number]): string {
    const line = printableLine(`${pod.namespace}/${pod.pod} $ ${command} &`);
    return [this.#paint('bold', line), this.#paint('dim', `  goes on as ${printableLine(as)}`)].join('\n');
  }

  #expectation(result: ExpectationResult): string {
    return [...this.#attempt(result), ...this.#judgement(result)].join('\n');
  }

  #attempt(result: ExpectationResult): string[] {
    switch (result.kind) {
      case 'run':
        return [...this.#command(result), ...this.#verdict(result)];
      case 'connect':
        return [...this.#connection(result), ...this.#verdict(result)];
      case 'pod':
        return [this.#paint('bold', attemptText(result)), `    ${result.seen} after ${secondsText(result.ms)}`];
      case 'started':
        return [this.#paint('bold', printableLine(attemptText(result))), ...indented(result.output)];
    }
  }

  #command(result: RunResult): string[] {
    const { output, exit, ms } = result;
    return [
      this.#paint('bold', printableLine(attemptText(result))),
      ...indented(output),
      this.#paint('dim', `  exit code ${exit} after ${secondsText(ms)}`),
    ];
  }

  #connection(result: ConnectResult): string[] {
    const { outcome, ms } = result;
    return [this.#paint('bold', printableLine(attemptText(result))), `    ${outcome} after ${secondsText(ms)}`];
  }

  #verdict({ decisive }: ExpectationResult): string[] {
    if (!decisive) return [this.#paint('dim', '  no packet left the pod')];
    const denied = decisive.verdict === 'deny';
    const word = this.#paint(denied ? 'yellow' : 'green', denied ? 'denied' : 'allowed');
    return [`  ${word} ${printableLine(flowText(decisive))}`, `    ${reasonText(decisive)}`];
  }

  #judgement({ failures }: ExpectationResult): string[] {
    if (failures.length === 0) return [`  ${this.#paint('green', 'ok')}`];
    return failures.map((failure) => `  ${this.#paint('red', 'FAILED')} ${printableLine(failure)}`);
  }
}

function flowText({ from, to, protocol, port, via }: FlowEvent): string {
  const place = protocol === 'ICMP' ? 'ICMP' : `${port}/${protocol}`;
  const way = via === undefined ? '' : ` via ${via}`;
  return `${from.name || from.address} -> ${to.name || to.address} ${place}${way}`;
}

/** The output's lines, indented, without blank ones at either end and with at most one in a row. */
function indented(output: string): string[] {
  const text = printable(output)
    .trim()
    .replace(/\n(?:[ \t]*\n)+/g, '\n\n');
  return text === '' ? [] : text.split('\n').map((line) => (line.trim() === '' ? '' : `    ${line}`));
}

function secondsText(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
