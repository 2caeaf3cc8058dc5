import { painter } from '../report/color.ts';
import { printableLine } from '../report/printable.ts';
import type { Finding } from './finding.ts';

/**
 * A finding in three lines:
 *
 *     web.yaml:12 warning default/allow-app: ingress[0]: podSelector app=wbe matches no pod … [label-typo]
 *       why: a peer that matches nobody allows nothing …
 *       fix: did you mean app=web instead of app=wbe?
 */
export function lintText(finding: Finding, color: boolean): string {
  const paint = painter(color);
  const { rule, severity, file, line, kind, namespace, name, message, why, fix } = finding;
  const object = kind === 'Namespace' ? `Namespace ${name}` : `${namespace}/${name}`;
  return [
    `${printableLine(`${file}:${line}`)} ${paint(severity === 'warning' ? 'yellow' : 'dim', severity)} ` +
      `${printableLine(`${object}: ${message}`)} ${paint('dim', `[${rule}]`)}`,
    `  why: ${printableLine(why)}`,
    `  fix: ${printableLine(fix)}`,
  ].join('\n');
}
