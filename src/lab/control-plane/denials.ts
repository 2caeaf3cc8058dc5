import type { ApiStore } from '../../apiserver/api-store.ts';
import type { DirectionReport, FlowEvent, FlowParty } from '../../flows/flow-event.ts';
import { DIRECTIONS, type Direction } from '../../model/policy.ts';
import type { LabOptions } from '../lab-client.ts';
import { subjectOf, type Happening } from './event-recorder.ts';

const SHOWN_POLICIES = 3; // a message has at most 1024 bytes on a cluster; `explain` names all

/**
 * What a denied connection is for the pods at its ends: `dropped TCP 80 from default/client: default/deny-all isolates
 * ingress, no rule matches`. Nothing for one that is allowed. The text names no source port: all attempts are one Event.
 */
export function denials(flow: FlowEvent, store: ApiStore, deny: LabOptions['deny']): Happening[] {
  if (flow.verdict === 'allow' || flow.carried) return []; // an end is no attempt
  const done = deny === 'drop' && flow.via === undefined ? 'dropped' : 'rejected'; // a gateway refuses at once
  const what = `${done} ${flow.protocol}${flow.port === 0 ? '' : ` ${flow.port}`}`;
  const reasons = DIRECTIONS.filter((direction) => flow[direction].verdict === 'deny').map((direction) =>
    reasonText(direction, flow[direction]),
  );
  const sides = [
    { pod: flow.from, other: `to ${partyText(flow.to)}` },
    { pod: flow.to, other: `from ${partyText(flow.from)}` },
  ];
  return sides.flatMap(({ pod, other }) => {
    const [namespace = '', name = ''] = pod.name.split('/');
    const object = name === '' ? undefined : store.get({ apiVersion: 'v1', kind: 'Pod', namespace, name });
    if (!object) return [];
    const message = `${what} ${other}: ${reasons.join('; ')}`;
    return [
      { subject: subjectOf(object), type: 'Warning', reason: 'PolicyDenied', message, component: 'netpol-lab' },
    ] as const;
  });
}

function reasonText(direction: Direction, { policies }: DirectionReport): string {
  const more = policies.length - SHOWN_POLICIES;
  const shown = policies.slice(0, SHOWN_POLICIES).map(({ namespace, name }) => `${namespace}/${name}`);
  const names = [...shown, ...(more > 0 ? [`${more} more`] : [])].join(' and ');
  return `${names} ${policies.length === 1 ? 'isolates' : 'isolate'} ${direction}, no rule matches`;
}

function partyText({ name, address }: FlowParty): string {
  return name === '' ? address : name;
}
