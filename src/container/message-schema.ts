import { z } from 'zod';
import type { Difference } from '../model/near-miss.ts';
import type { FromProxy } from './messages.ts';

const policy = z.object({
  namespace: z.string(),
  name: z.string(),
  rule: z.number().nullable(),
  file: z.string(),
  line: z.number(),
});

const difference = z.looseObject({ kind: z.string(), text: z.string() });

const nearest = policy.extend({
  direction: z.enum(['egress', 'ingress']),
  // As the proxy's nearMisses made them: they are only passed on, and shown by their text.
  differences: z.array(z.custom<Difference>((value) => difference.safeParse(value).success)),
});

const carried = z.object({
  durationMs: z.number(),
  sentBytes: z.number(),
  receivedBytes: z.number(),
  datagrams: z.number(),
  end: z.enum(['closed', 'reset', 'cut', 'idle']),
});

const judged = z.object({
  timeMs: z.number(),
  source: z.string(),
  destination: z.string(),
  protocol: z.enum(['TCP', 'UDP', 'SCTP', 'ICMP']),
  sourcePort: z.number(),
  port: z.number(),
  side: z.enum(['egress', 'ingress']),
  report: z.object({
    verdict: z.enum(['allow', 'deny']),
    isolated: z.boolean(),
    policies: z.array(policy),
    nearest: nearest.exactOptional(),
  }),
  carried: carried.nullable(),
});

const outcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('connected') }),
  z.object({ kind: z.literal('error'), code: z.string() }),
  z.object({ kind: z.literal('timeout') }),
]);

const versions = z.object({
  namespaces: z.string(),
  pods: z.string(),
  services: z.string(),
  endpointslices: z.string(),
  networkpolicies: z.string(),
});

const run = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['waiting', 'running']), restarts: z.number() }),
  z.object({ kind: z.enum(['restarting', 'done']), restarts: z.number(), exitCode: z.number() }),
]);

const message = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('hello'),
    role: z.enum(['pod', 'external']),
    name: z.string(),
    addresses: z.array(z.string()),
    startedAt: z.string(),
  }),
  z.object({ kind: z.literal('enforced'), versions, open: z.boolean(), complaints: z.array(z.string()) }),
  z.object({
    kind: z.literal('readiness'),
    containers: z.array(z.object({ name: z.string(), ready: z.boolean(), run })),
  }),
  z.object({ kind: z.literal('flows'), flows: z.array(judged), dropped: z.number() }),
  z.object({
    kind: z.literal('probed'),
    id: z.number(),
    result: z.object({ outcome, sourcePort: z.number(), ms: z.number() }),
  }),
]);

/** A line that a proxy has sent. Throws ZodError or SyntaxError if it is no message. */
export function parseMessage(line: string): FromProxy {
  return message.parse(JSON.parse(line));
}
