import type { FlowEvent, FlowParty } from '../flows/flow-event.ts';
import { painter } from './color.ts';
import { printableLine } from './printable.ts';
import { reasonText } from './verdict-text.ts';

/**
 * A flow event on one line:
 * `12:00:01.123 denied  TCP  default/client (10.244.0.5:43210) -> default/web (10.244.0.6:80)  ingress denied: …`.
 */
export function flowLine(event: FlowEvent, color: boolean): string {
  const paint = painter(color);
  const denied = event.verdict === 'deny';
  const verdict = paint(denied ? 'red' : 'green', denied ? 'denied ' : 'allowed');
  const from = partyText(event.from, event.sourcePort);
  const to = partyText(event.to, event.port);
  const connection = printableLine(`${event.protocol.padEnd(4)} ${from} -> ${to}`);
  return `${paint('dim', clockOf(event.time))} ${verdict} ${connection}  ${paint('dim', reasonText(event))}`;
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
