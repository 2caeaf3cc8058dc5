import type { ChangeReport, ChangeResult } from '../lab/lab-client.ts';
import { kindNamed } from '../model/kind-names.ts';
import { LabError } from '../model/lab-error.ts';
import { refuseIssues, warn } from './manifests.ts';
import type { Terminal } from './terminal.ts';

/**
 * Prints what became of each object, as kubectl does, and how long it took. @throws LabError usage if there are issues,
 * or nothing was given at all: then nothing was changed.
 */
export async function printChanges(
  report: ChangeReport,
  { format, terminal }: { format: 'text' | 'json' | undefined; terminal: Terminal },
): Promise<void> {
  warn(report.warnings, terminal);
  await refuseIssues(report.issues);
  // What is passed over has a warning.
  if (report.results.length === 0 && report.warnings.length === 0) {
    throw new LabError('usage', 'no objects in the manifests, nothing was done: did what writes them fail?');
  }
  if (format === 'json') {
    await terminal.printJson({ results: report.results, enforcedMs: report.enforcedMs });
    return;
  }
  for (const result of report.results) await terminal.print(resultText(result));
  if (terminal.watched) terminal.complain(`enforced after ${report.enforcedMs.toFixed(1)} ms`);
}

/** `networkpolicy.networking.k8s.io/deny-all created`, or `… "deny-all" deleted`. Source: kubectl's printers. */
export function resultText({ kind, name, action }: ChangeResult): string {
  const resource = kindNamed(kind)?.resource ?? kind.toLowerCase();
  return action === 'deleted' ? `${resource} "${name}" deleted` : `${resource}/${name} ${action}`;
}
