import type { JsonObject, JsonValue } from '../../manifest/json.ts';
import { at, listAt, numberAt, textAt } from '../api-object.ts';

/** What a table says of a pod: `1/2`, a phase or the reason that a container waits or ended for, and how often it came back. */
export interface PodCells {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

/** Source: printPod, pkg/printers/internalversion. */
export function podCells(pod: JsonObject): PodCells {
  const sidecars = sidecarsOf(pod);
  const own = listAt(pod, 'status', 'containerStatuses');
  const init = listAt(pod, 'status', 'initContainerStatuses').filter((one) => sidecars.has(textAt(one, 'name')));
  const statuses = [...own, ...init];
  const ready = statuses.filter(
    (status) => at(status, 'ready') === true && at(status, 'state', 'running') !== undefined,
  );
  const total = listAt(pod, 'spec', 'containers').length + sidecars.size;
  const restarts = statuses.reduce<number>((sum, status) => sum + numberAt(status, 'restartCount'), 0);
  return { ready: `${ready.length}/${total}`, status: statusOf(pod, own), restarts: String(restarts) };
}

/** The names of the init containers that go on beside the others. */
function sidecarsOf(pod: JsonObject): ReadonlySet<string> {
  const sidecars = listAt(pod, 'spec', 'initContainers').filter((one) => textAt(one, 'restartPolicy') === 'Always');
  return new Set(sidecars.map((one) => textAt(one, 'name')));
}

function statusOf(pod: JsonObject, statuses: readonly JsonValue[]): string {
  if (textAt(pod, 'metadata', 'deletionTimestamp') !== '') return 'Terminating';
  const init = initStatusOf(pod);
  if (init !== '') return init;
  const reason = statuses.map(reasonOf).find((text) => text !== '');
  const running = statuses.some(
    (status) => at(status, 'ready') === true && at(status, 'state', 'running') !== undefined,
  );
  if (reason === 'Completed' && running) return 'Running';
  return reason ?? (textAt(pod, 'status', 'reason') || textAt(pod, 'status', 'phase') || 'Unknown');
}

/** How far a pod's init containers are, or what holds them up; empty once it is initialised. */
function initStatusOf(pod: JsonObject): string {
  const isInitialised = listAt(pod, 'status', 'conditions').some(
    (one) => textAt(one, 'type') === 'Initialized' && textAt(one, 'status') === 'True',
  );
  if (isInitialised) return '';
  const sidecars = sidecarsOf(pod);
  const statuses = listAt(pod, 'status', 'initContainerStatuses');
  const index = statuses.findIndex((status) =>
    sidecars.has(textAt(status, 'name'))
      ? at(status, 'started') !== true
      : at(status, 'state', 'terminated', 'exitCode') !== 0,
  );
  if (index === -1) return '';
  const reason = reasonOf(statuses[index] ?? {});
  const total = listAt(pod, 'spec', 'initContainers').length;
  return reason === '' || reason === 'PodInitializing' ? `Init:${index}/${total}` : `Init:${reason}`;
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
