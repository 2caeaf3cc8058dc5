import { parseEndpoint, type Endpoint } from '../model/endpoint.ts';
import type { Direction } from '../model/policy.ts';
import { field, textField } from './json-path.ts';
import { portOf } from './lab-flow.ts';
import { skipped, type Reading, type RecordedFlow } from './recorded-flow.ts';

const ALLOWED = ['FORWARDED', 'REDIRECTED', 'AUDIT'];
const DIRECTIONS: Readonly<Record<string, Direction>> = { EGRESS: 'egress', INGRESS: 'ingress' };

/** Reads a flow that `hubble observe -o json` prints, bare or in `{ "flow": … }`. Source: api/v1/flow/flow.proto, cilium. */
export function readHubbleFlow(value: unknown): Reading {
  const flow = field(value, 'flow') ?? value;
  if (field(flow, 'is_reply') === true) return skipped('a reply: its connection is judged by the first packet');
  const verdict = verdictOf(flow);
  if (verdict === undefined) return skipped('dropped, and not by a policy, or without a verdict');
  const layer4 = layer4Of(flow);
  if (!layer4) return skipped('no protocol and port');
  const [from, to] = [endsOf(flow, 'source'), endsOf(flow, 'destination')];
  if (from.length === 0 || to.length === 0) return skipped('an end without a name or an address');
  // Hubble sees each end on its own: what leaves one may be dropped at the other.
  const seenAt = verdict === 'allow' ? (DIRECTIONS[textField(flow, 'traffic_direction')] ?? null) : null;
  return { kind: 'flow', flow: { ...layer4, from, to, verdict, seenAt } };
}

function verdictOf(flow: unknown): 'allow' | 'deny' | undefined {
  const verdict = textField(flow, 'verdict');
  if (ALLOWED.includes(verdict)) return 'allow';
  const byPolicy = ['', 'POLICY_DENIED', 'POLICY_DENY'].includes(textField(flow, 'drop_reason_desc'));
  return verdict === 'DROPPED' && byPolicy ? 'deny' : undefined;
}

function layer4Of(flow: unknown): Pick<RecordedFlow, 'transport' | 'port'> | undefined {
  for (const transport of ['TCP', 'UDP', 'SCTP'] as const) {
    const port = portOf(transport, field(flow, 'l4', transport, 'destination_port'));
    if (port !== undefined) return { transport, port };
  }
  const isIcmp = ['ICMPv4', 'ICMPv6'].some((name) => field(flow, 'l4', name) !== undefined);
  return isIcmp ? { transport: 'ICMP', port: 0 } : undefined;
}

/** The pod by name, its workloads, as pods come and go, or the address of an end that is no pod. */
function endsOf(flow: unknown, side: 'source' | 'destination'): Endpoint[] {
  const namespace = textField(flow, side, 'namespace');
  const pod = textField(flow, side, 'pod_name');
  const names =
    pod === ''
      ? [textField(flow, 'IP', side)]
      : [
          `${namespace}/${pod}`,
          ...workloadsOf(flow, side).map(
            (workload) => `${namespace}/${textField(workload, 'kind')}/${textField(workload, 'name')}`,
          ),
        ];
  return names.flatMap((name) => parseEndpoint(name) ?? []);
}

function workloadsOf(flow: unknown, side: string): readonly unknown[] {
  const workloads = field(flow, side, 'workloads');
  return Array.isArray(workloads) ? (workloads as unknown[]) : [];
}
