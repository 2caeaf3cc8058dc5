import type { DirectionReport, PolicyRef, VerdictReport } from '../flows/flow-event.ts';
import type { NearMiss } from '../model/near-miss.ts';
import { DIRECTIONS, type Direction } from '../model/policy.ts';
import { painter } from './color.ts';
import type { Explanation } from './explanation.ts';
import { printableLine } from './printable.ts';

/** A question as a user wrote it. */
export interface Asked {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
}

const SHOWN_MISSES = 3; // of a direction; JSON has all

/**
 * A verdict in a few lines: the question, a line for each direction with policies and lines, under
 * one that denies the near misses, notes.
 *
 *     denied: default/client -> default/web 80/TCP
 *       egress of default/client: allowed: no policy isolates it
 *       ingress of default/web: denied: isolated by default/allow-app (allow.yaml:3), no rule matches
 *         default/allow-app ingress[0] (allow.yaml:12): default/client has app=b, rule wants app=a
 */
export function explanationText({ protocol, port, ...ends }: Asked, explanation: Explanation, color: boolean): string {
  const paint = painter(color);
  const head = `${paint(explanation.verdict === 'allow' ? 'green' : 'red', verdictWord(explanation))}: `;
  const sides = DIRECTIONS.flatMap((direction) => {
    const party = direction === 'egress' ? explanation.from : explanation.to;
    const misses = explanation.nearMisses.filter((miss) => miss.direction === direction);
    return [
      `  ${direction} of ${printableLine(party)}: ${directionText(direction, explanation[direction])}`,
      ...missLines(misses).map((line) => paint('dim', `    ${line}`)),
    ];
  });
  return [
    `${head}${printableLine(ends.from)} -> ${printableLine(ends.to)} ${port}/${protocol}`,
    ...sides,
    ...explanation.notes.map((note) => paint('dim', `  ${printableLine(note)}`)),
  ].join('\n');
}

function missLines(misses: readonly NearMiss[]): string[] {
  const more = misses.length - SHOWN_MISSES;
  return [...misses.slice(0, SHOWN_MISSES).map(missText), ...(more > 0 ? [`and ${more} more`] : [])];
}

/** `default/allow-app ingress[0] (allow.yaml:9): rule allows 80, you connected to 8080`; what is farther counts its differences. */
export function missText(miss: NearMiss): string {
  const texts = miss.differences.map(({ text }, index, all) => (all.length > 1 ? `(${index + 1}) ${text}` : text));
  const farther = texts.length > 1 ? `${texts.length} differences: ` : '';
  return printableLine(`${policyText(miss.direction, miss)}: ${farther}${texts.join(' ')}`);
}

/** One direction's verdict and its reason: `denied: isolated by default/deny-all (deny.yaml:3), no rule matches`. */
export function directionText(direction: Direction, report: DirectionReport): string {
  if (!report.isolated) return `${verdictWord(report)}: no policy isolates it`;
  const policies = report.policies.map((policy) => policyText(direction, policy)).join(' and ');
  if (report.verdict === 'deny') return `denied: isolated by ${policies}, no rule matches`;
  if (policies === '') return 'allowed: isolated, but policies never part a pod from itself or its own node';
  return `allowed: by ${policies}`;
}

/** Only what decided: the directions that deny, or the rules that allow. On one line, for logs. */
export function reasonText(report: VerdictReport): string {
  const decisive = DIRECTIONS.filter((direction) =>
    report.verdict === 'deny' ? report[direction].verdict === 'deny' : report[direction].isolated,
  );
  const reasons = decisive.map((direction) => `${direction} ${directionText(direction, report[direction])}`);
  const caveats = report.caveat === undefined ? [] : [report.caveat];
  return [...(reasons.length === 0 ? ['no policy isolates either end'] : reasons), ...caveats].join('; ');
}

/** `default/allow-app ingress[0] (allow.yaml:9)`, without the rule where none matched, and the file where none is known. */
function policyText(direction: Direction, { namespace, name, rule, file, line }: PolicyRef): string {
  const place = file === '' ? '' : ` (${line === 0 ? file : `${file}:${line}`})`;
  return printableLine(`${namespace}/${name}${rule === null ? '' : ` ${direction}[${rule}]`}${place}`);
}

function verdictWord({ verdict }: { verdict: 'allow' | 'deny' }): string {
  return verdict === 'allow' ? 'allowed' : 'denied';
}
