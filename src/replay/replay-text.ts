import { painter } from '../report/color.ts';
import { printableLine } from '../report/printable.ts';
import { reasonText } from '../report/verdict-text.ts';
import type { FlowChange, ReplayReport } from './replay.ts';

/**
 * A replay as a diff of flows: what would newly be denied after `-`, what would newly be allowed after `+`.
 *
 *     - default/client -> default/web 80/TCP  12 flows, first in line 3
 *       ingress denied: isolated by default/deny (deny.yaml:1), no rule matches
 */
export function replayText(report: ReplayReport, color: boolean): string {
  const { judged, unchanged, newlyDenied, newlyAllowed, changes, unjudged } = report;
  const notJudged = unjudged.reduce((sum, { count }) => sum + count, 0);
  return [
    ...changes.map((change) => changeText(change, color)),
    `${counted(judged, 'flow')} judged: ${unchanged} unchanged, ${newlyDenied} newly denied (-), ${newlyAllowed} newly allowed (+)`,
    ...(notJudged === 0 ? [] : [`${counted(notJudged, 'line')} not judged:`]),
    ...unjudged.map(({ reason, count, firstLine }) =>
      printableLine(`  ${count}: ${reason} (first in line ${firstLine})`),
    ),
  ].join('\n');
}

function changeText(change: FlowChange, color: boolean): string {
  const paint = painter(color);
  const { from, to, port, protocol, count, firstLine, verdict } = change;
  const [sign, style] = verdict === 'deny' ? (['-', 'red'] as const) : (['+', 'green'] as const);
  const place = protocol === 'ICMP' ? protocol : `${port}/${protocol}`;
  const text = printableLine(
    `${sign} ${from} -> ${to} ${place}  ${counted(count, 'flow')}, first in line ${firstLine}`,
  );
  return `${paint(style, text)}\n  ${reasonText(change)}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
