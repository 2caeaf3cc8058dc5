import type { JsonObject, JsonValue } from '../../manifest/json.ts';
import { at, listAt, numberAt, textAt } from '../api-object.ts';

/** What a table says of a pod: `1/2`, a phase or the reason that a container waits or ended for, and how often it came back. */
export interface PodCells {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

/** Source: printPod, pkg/printers/internalversion; init containers only as far as they hold the pod up. */
export function podCells(pod: JsonObject): PodCells {
  const sidecars = listAt(pod, 'spec', 'initContainers').filter((one) => textAt(one, 'restartPolicy') === 'Always');
  const names = new Set(sidecars.map((one) => textAt(one, 'name')));
  const own = listAt(pod, 'status', 'containerStatuses');
  const init = listAt(pod, 'status', 'initContainerStatuses').filter((one) => names.has(textAt(one, 'name')));
  const statuses = [...own, ...init];
  const ready = statuses.filter(
    (status) => at(status, 'ready') === true && at(status, 'state', 'running') !== undefined,
  );
  const total = listAt(pod, 'spec', 'containers').length + sidecars.length;
  const restarts = statuses.reduce<number>((sum, status) => sum + numberAt(status, 'restartCount'), 0);
  return { ready: `${ready.length}/${total}`, status: statusOf(pod, own), restarts: String(restarts) };
}

function statusOf(pod: JsonObject, statuses: readonly JsonValue[]): string {
  if (textAt(pod, 'metadata', 'deletionTimestamp') !== '') return 'Terminating';
  const reason = statuses.map(reasonOf).find((text) => text !== '');
  const running = statuses.some(
    (status) => at(status, 'ready') === true && at(status, 'state', 'running') !== undefined,
  );
  if (reason === 'Completed' && running) return 'Running';
  return reason ?? (textAt(pod, 'status', 'reason') || textAt(pod, 'status', 'phase') || 'Unknown');
}

function reasonOf(status: JsonValue): string {
  const waiting = textAt(status, 'state', 'waiting', 'reason');
  if (waiting !== '') return waiting;
  const ended = at(status, 'state', 'terminated');
  if (ended === undefined) return '';
  const signal = numberAt(ended, 'signal');
  const code = signal === 0 ? `ExitCode:${numberAt(ended, 'exitCode')}` : `Signal:${signal}`;
  return textAt(ended, 'reason') || code;
}
