import { parseEndpoint, type Endpoint } from '../model/endpoint.ts';
import { parsePort, TRANSPORTS, type Port, type Transport } from '../net/port.ts';
import { field, textField } from './json-path.ts';
import { skipped, type Reading } from './recorded-flow.ts';

/** Reads an event that `flows -o json` prints. */
export function readLabFlow(value: unknown): Reading {
  if (field(value, 'carried') !== undefined) return skipped('the end of a flow, not its beginning');
  const transport = transportNamed(textField(value, 'protocol'));
  const port = portOf(transport, field(value, 'port'));
  const [from, to] = [endsOf(value, 'from'), endsOf(value, 'to')];
  const verdict = field(value, 'verdict');
  if (transport === undefined || port === undefined) return skipped('no protocol and port');
  if (from.length === 0 || to.length === 0) return skipped('an end without a name or an address');
  if (verdict !== 'allow' && verdict !== 'deny') return skipped('no verdict');
  return { kind: 'flow', flow: { from, to, transport, port, verdict, seenAt: null } };
}

/** The transport of that name, in any case. */
export function transportNamed(text: string): Transport | undefined {
  return TRANSPORTS.find((transport) => transport === text.toUpperCase());
}

/** The port of a connection: 0 for ICMP alone. @returns undefined if it is none. */
export function portOf(transport: Transport | undefined, port: unknown): Port | 0 | undefined {
  if (transport === 'ICMP') return 0;
  return typeof port === 'number' || typeof port === 'string' ? parsePort(port) : undefined;
}

/** By name if it is a pod's: hosts outside and the node have names without a namespace. Else by address. */
function endsOf(value: unknown, side: 'from' | 'to'): Endpoint[] {
  const pod = parseEndpoint(textField(value, side, 'name'));
  if (pod) return [pod];
  return [parseEndpoint(textField(value, side, 'address'))].filter((end) => end?.kind === 'address');
}
