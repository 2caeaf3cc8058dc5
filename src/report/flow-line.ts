import type { CarriedReport, FlowEvent, FlowParty } from '../flows/flow-event.ts';
import { DIRECTIONS } from '../model/policy.ts';
import { painter, type Paint } from './color.ts';
import { printableLine } from './printable.ts';
import { missText, reasonText } from './verdict-text.ts';

/**
 * A flow event on one line:
 * `12:00:01.123 denied  TCP  default/client (10.244.0.5:43210) -> default/web (10.244.0.6:80)  ingress denied: …`, with
 * the nearest miss,
 * or of an end `12:00:02.345 closed  TCP  …  120 bytes sent, 5 received in 1.222 s`.
 */
export function flowLine(event: FlowEvent, color: boolean): string {
  const paint = painter(color);
  const connection = flowEndsText(event);
  const clock = paint('dim', clockOf(event.time));
  if (event.carried)
    return `${clock} ${event.carried.end.padEnd(7)} ${connection}  ${paint('dim', carriedText(event.carried))}`;
  const denied = event.verdict === 'deny';
  const verdict = paint(denied ? 'red' : 'green', denied ? 'denied ' : 'allowed');
  return `${clock} ${verdict} ${connection}  ${paint('dim', `${reasonText(event)}${nearestText(event)}`)}${stagedText(event, paint)}`;
}

/** `; would be denied by staged policies: ingress denied: …`. */
function stagedText({ staged }: FlowEvent, paint: Paint): string {
  if (!staged) return '';
  const would = `would be ${staged.verdict === 'deny' ? 'denied' : 'allowed'} by staged policies`;
  return `; ${paint('yellow', would)}${paint('dim', `: ${reasonText(staged)}`)}`;
}

/** `; nearest: default/allow-app ingress[0] (allow.yaml:9): …`. A policy without rules is no miss: the reason has said it. */
function nearestText(event: FlowEvent): string {
  const misses = DIRECTIONS.flatMap((direction) => event[direction].nearest ?? []);
  return misses
    .filter(({ rule }) => rule !== null)
    .map((miss) => `; nearest: ${missText(miss)}`)
    .join('');
}

/** `TCP  default/client (10.244.0.5:43210) -> default/web (10.244.0.6:80)`, and by whom it was dialled. */
export function flowEndsText({ protocol, from, sourcePort, to, port, via }: FlowEvent): string {
  const way = via === undefined ? '' : ` via ${via}`;
  return printableLine(`${protocol.padEnd(4)} ${partyText(from, sourcePort)} -> ${partyText(to, port)}${way}`);
}

function carriedText({ durationMs, sentBytes, receivedBytes, datagrams }: CarriedReport): string {
  const sent = datagrams > 0 ? `${datagrams} datagrams, ${sentBytes} bytes sent` : `${sentBytes} bytes sent`;
  const received = datagrams > 0 ? '' : `, ${receivedBytes} received`;
  return `${sent}${received} in ${(durationMs / 1000).toFixed(3)} s`;
}

function partyText({ name, address }: FlowParty, port: number): string {
  const host = port !== 0 && address.includes(':') ? `[${address}]` : address;
  const place = port === 0 ? host : `${host}:${port}`;
  return name === '' ? place : `${name} (${place})`;
}

/** The time of day of an ISO 8601 time; the date matters little where labs live for minutes. */
function clockOf(time: string): string {
  return /T([0-9:.]+)Z$/.exec(time)?.[1] ?? printableLine(time);
}
