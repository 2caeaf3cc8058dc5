import type { DirectionReport, PolicyRef, VerdictReport } from '../flows/flow-event.ts';
import { DIRECTIONS, type Direction } from '../model/policy.ts';
import { painter } from './color.ts';
import { printableLine } from './printable.ts';

/** A connection and its verdict, as text shows them. `from` and `to` are pods or addresses. */
export interface Explanation {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
  readonly notes: readonly string[];
  readonly report: VerdictReport;
}

/**
 * A verdict in a few lines: the connection, a line for each direction with policies and lines, notes.
 *
 *     denied: default/client -> default/web 80/TCP
 *       egress of default/client: denied: isolated by default/deny-all (deny.yaml:3), no rule matches
 *       ingress of default/web: allowed: no policy isolates it
 */
export function explanationText({ protocol, port, notes, report, ...ends }: Explanation, color: boolean): string {
  const paint = painter(color);
  const [from, to] = [printableLine(ends.from), printableLine(ends.to)];
  const head = `${paint(report.verdict === 'allow' ? 'green' : 'red', verdictWord(report))}: ${from} -> ${to} ${port}/${protocol}`;
  const sides = DIRECTIONS.map((direction) => {
    const party = direction === 'egress' ? from : to;
    return `  ${direction} of ${party}: ${directionText(direction, report[direction])}`;
  });
  return [head, ...sides, ...notes.map((note) => paint('dim', `  ${printableLine(note)}`))].join('\n');
}

/** One direction's verdict and its reason: `denied: isolated by default/deny-all (deny.yaml:3), no rule matches`. */
function directionText(direction: Direction, report: DirectionReport): string {
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
  if (decisive.length === 0) return 'no policy isolates either end';
  return decisive.map((direction) => `${direction} ${directionText(direction, report[direction])}`).join('; ');
}

/** `default/allow-app ingress[0] (allow.yaml:9)`, without the rule where none matched. */
function policyText(direction: Direction, { namespace, name, rule, file, line }: PolicyRef): string {
  return printableLine(`${namespace}/${name}${rule === null ? '' : ` ${direction}[${rule}]`} (${file}:${line})`);
}

function verdictWord({ verdict }: { verdict: 'allow' | 'deny' }): string {
  return verdict === 'allow' ? 'allowed' : 'denied';
}
