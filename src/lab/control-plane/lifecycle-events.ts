import { at, listAt, nameOf, namespaceOf, numberAt, textAt, type ApiObject } from '../../apiserver/api-object.ts';
import type { ObjectChange } from '../../apiserver/object-store.ts';
import type { JsonValue } from '../../manifest/json.ts';
import { ownerSubjectOf, subjectOf, type Happening } from './event-recorder.ts';

type Said = Pick<Happening, 'type' | 'reason' | 'message' | 'component'>;

const KUBELET = 'kubelet';

/** What scheduler, kubelet and controllers would say of the changes in Events. */
export function lifecycleEvents(changes: readonly ObjectChange[]): Happening[] {
  return changes.flatMap(({ resource: { kind }, before, after }) => {
    const object = after ?? before;
    if (!object) return [];
    if (kind === 'Pod') return [...ofOwner(object, podOwnerEvents(before, after)), ...ofPod(object, before, after)];
    if (kind === 'ReplicaSet' && after) return ofOwner(after, scalingEvents(before, after));
    if (kind === 'Job' && after)
      return jobEvents(before, after).map((said) => ({ subject: subjectOf(after), ...said }));
    return [];
  });
}

function normal(reason: string, message: string, component: string): Said {
  return { type: 'Normal', reason, message, component };
}

function ofOwner(object: ApiObject, events: readonly Said[]): Happening[] {
  const subject = ownerSubjectOf(object);
  return subject
    ? events.map((said) => ({ subject, ...said, component: said.component || componentOf(subject.kind) }))
    : [];
}

function componentOf(kind: string): string {
  return kind === 'DaemonSet' ? 'daemonset-controller' : `${kind.toLowerCase()}-controller`;
}

function podOwnerEvents(before: ApiObject | undefined, after: ApiObject | undefined): Said[] {
  if (!before && after) return [normal('SuccessfulCreate', `Created pod: ${nameOf(after)}`, '')];
  if (before && !after) return [normal('SuccessfulDelete', `Deleted pod: ${nameOf(before)}`, '')];
  return [];
}

function ofPod(pod: ApiObject, before: ApiObject | undefined, after: ApiObject | undefined): Happening[] {
  const subject = subjectOf(pod);
  const node = textAt(after, 'spec', 'nodeName');
  const scheduled =
    !before && node !== ''
      ? [
          normal(
            'Scheduled',
            `Successfully assigned ${namespaceOf(pod)}/${nameOf(pod)} to ${node}`,
            'default-scheduler',
          ),
        ]
      : [];
  return [...scheduled, ...containerEvents(before, after)].map((said) => ({ subject, ...said }));
}

function containerEvents(before: ApiObject | undefined, after: ApiObject | undefined): Said[] {
  const earlier = new Map(statusesOf(before).map((status) => [textAt(status, 'name'), status]));
  if (!after) {
    const running = [...earlier].filter(([, status]) => runs(status));
    return running.map(([name]) => normal('Killing', `Stopping container ${name}`, KUBELET));
  }
  return statusesOf(after).flatMap((status): Said[] => {
    const name = textAt(status, 'name');
    const old = earlier.get(name);
    const started = runs(status) && !(old && runs(old) && restartsOf(old) === restartsOf(status));
    const failing = textAt(status, 'state', 'waiting', 'reason') === 'CrashLoopBackOff';
    const unready = runs(status) && old && at(old, 'ready') === true && at(status, 'ready') === false;
    const message = `Back-off restarting failed container ${name} in pod ${nameOf(after)}`;
    return [
      ...(started ? [normal('Started', `Started container ${name}`, KUBELET)] : []),
      ...(failing && !sameWait(old, status) ? [warning('BackOff', message)] : []),
      ...(unready ? [warning('Unhealthy', `Readiness probe of container ${name} failed`)] : []),
    ];
  });
}

function warning(reason: string, message: string): Said {
  return { type: 'Warning', reason, message, component: KUBELET };
}

function statusesOf(pod: ApiObject | undefined): readonly JsonValue[] {
  return ['initContainerStatuses', 'containerStatuses'].flatMap((list) => listAt(pod, 'status', list));
}

function runs(status: JsonValue): boolean {
  return at(status, 'state', 'running') !== undefined;
}

function restartsOf(status: JsonValue): number {
  return numberAt(status, 'restartCount');
}

function sameWait(old: JsonValue | undefined, status: JsonValue): boolean {
  return (
    old !== undefined &&
    textAt(old, 'state', 'waiting', 'reason') === textAt(status, 'state', 'waiting', 'reason') &&
    restartsOf(old) === restartsOf(status)
  );
}

function scalingEvents(before: ApiObject | undefined, after: ApiObject): Said[] {
  const [from, to] = [numberAt(before, 'spec', 'replicas'), numberAt(after, 'spec', 'replicas')];
  if (from === to) return [];
  const message = `Scaled ${to > from ? 'up' : 'down'} replica set ${nameOf(after)} from ${from} to ${to}`;
  return [normal('ScalingReplicaSet', message, 'deployment-controller')];
}

function jobEvents(before: ApiObject | undefined, after: ApiObject): Said[] {
  const isComplete = (job: ApiObject | undefined): boolean =>
    listAt(job, 'status', 'conditions').some((one) => textAt(one, 'type') === 'Complete');
  return isComplete(after) && !isComplete(before) ? [normal('Completed', 'Job completed', 'job-controller')] : [];
}
