import { z } from 'zod';
import { endpointText, parseEndpoint, type Endpoint } from '../model/endpoint.ts';
import { endpointProblem, parsePortSpec } from '../model/question.ts';
import { parseIp } from '../net/ip.ts';
import type { Port, Protocol } from '../net/port.ts';

/** A port of one protocol, of those that real connections can use: this kernel has no SCTP sockets. */
export interface LabPort {
  readonly protocol: Exclude<Protocol, 'SCTP'>;
  readonly port: Port;
}

const PORT = /^[0-9]{1,5}(\/(TCP|UDP))?$/;
const DURATION = /^([1-9][0-9]{0,4})(ms|s|m)$/;
const UNIT_MS = { ms: 1, s: 1000, m: 60_000 } as const;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;

function wantsPort({ input }: { input?: unknown }): string {
  return `got ${JSON.stringify(input)}, want a port such as 80, 80/TCP or 53/UDP`;
}

const text = z.string().min(1, 'must not be empty');

const path = text.describe("A file or folder, relative to the lab's folder.");

const port = z
  .union([z.int().min(1).max(65535), z.string().regex(PORT, { error: wantsPort })], { error: wantsPort })
  .describe('80, 80/TCP or 53/UDP; TCP if no protocol is given.')
  .transform((value, context): LabPort => {
    const { protocol, port } = parsePortSpec(String(value)) ?? {};
    if (port !== undefined && (protocol === 'TCP' || protocol === 'UDP')) return { protocol, port };
    context.addIssue(wantsPort({ input: value }));
    return z.NEVER;
  });

const duration = z
  .string()
  .regex(DURATION, { error: ({ input }) => `got ${JSON.stringify(input)}, want a time such as 500ms, 5s or 1m` })
  .transform((value) => {
    const [, digits = '', unit = 's'] = DURATION.exec(value) ?? [];
    return Number(digits) * UNIT_MS[unit as keyof typeof UNIT_MS];
  });

const address = z.string().refine((value) => parseIp(value) !== undefined, {
  error: ({ input }) => `got ${JSON.stringify(input)}, want an IPv4 or IPv6 address`,
});

const endpoint = z
  .string()
  .describe('NAMESPACE/POD, NAMESPACE/KIND/NAME or an IP address.')
  .refine((value) => parseEndpoint(value) !== undefined, {
    error: ({ input }) => endpointProblem(String(input)),
  });

/** A pod to run a command in. `pod` is a pod's name or KIND/NAME. */
export interface PodPlace {
  readonly namespace: string;
  readonly pod: string;
}

const place = z
  .string()
  .describe('NAMESPACE/POD or NAMESPACE/KIND/NAME: any pod of that workload.')
  .transform((value, context): PodPlace => {
    const parsed = parseEndpoint(value);
    if (parsed?.kind === 'pod' || parsed?.kind === 'workload') return placeOf(parsed);
    context.addIssue(`got ${JSON.stringify(value)}, want NAMESPACE/POD or NAMESPACE/KIND/NAME`);
    return z.NEVER;
  });

const podName = z
  .string()
  .describe('NAMESPACE/POD.')
  .transform((value, context): { readonly namespace: string; readonly name: string } => {
    const parsed = parseEndpoint(value);
    if (parsed?.kind === 'pod') return parsed;
    context.addIssue(`got ${JSON.stringify(value)}, want NAMESPACE/POD`);
    return z.NEVER;
  });

const pattern = z
  .string()
  .describe('A regular expression that is found in stdout and stderr together; ^ and $ are those of a line.')
  .transform((value, context): RegExp => {
    try {
      return new RegExp(value, 'm');
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
      return z.NEVER;
    }
  });

const runExpectation = z
  .strictObject({
    run: text.describe('A command line, run by sh -c in the pod.'),
    in: place,
    exit: z.int().min(0).max(255).default(0).describe('The exit code that it must end with.'),
    output: pattern.optional(),
    within: duration.prefault('20s').describe('Its time limit; a command that takes longer fails.'),
  })
  .describe('A command in a pod.')
  .transform(({ run, in: pod, exit, output, within }) => ({
    kind: 'run' as const,
    command: run,
    pod,
    exit,
    output: output ?? null,
    withinMs: within,
  }));

const connectExpectation = z
  .strictObject({
    connect: z.strictObject({ from: endpoint, to: endpoint, port }),
    verdict: z.enum(['allow', 'deny']),
    within: duration.prefault('2s').describe('How long to wait for an answer; without one in this time it is denied.'),
  })
  .describe('A connection between two ends.')
  .transform(({ connect, verdict, within }) => ({
    kind: 'connect' as const,
    from: connect.from,
    to: connect.to,
    ...connect.port,
    verdict,
    withinMs: within,
  }));

const labels = z.record(z.string().min(1), z.string().nullable()).describe('Labels to set; null removes one.');

const labelChange = z
  .union([
    z
      .strictObject({ pod: podName, labels })
      .transform(({ pod, labels }) => ({ kind: 'Pod', namespace: pod.namespace, name: pod.name, labels })),
    z
      .strictObject({ namespace: text, labels })
      .transform(({ namespace, labels }) => ({ kind: 'Namespace', namespace: '', name: namespace, labels })),
  ])
  .describe('Labels of a pod or of a namespace to change.');

const step = z.strictObject({
  text: text.describe('What is tried, and why.'),
  apply: z.array(path).default([]).describe('Manifests to apply, before anything is tried.'),
  delete: z.array(path).default([]).describe('Manifests whose objects to delete, after those to apply.'),
  label: z.array(labelChange).default([]).describe('Labels to change, after that.'),
  expect: z
    .array(z.union([runExpectation, connectExpectation]))
    .default([])
    .describe('What must happen then.'),
});

const external = z
  .strictObject({
    name: z
      .string()
      .regex(HOST_NAME, {
        error: ({ input }) => `got ${JSON.stringify(input)}, want a DNS name such as api.example.com`,
      })
      .describe('The name that pods find it by.'),
    addresses: z.array(address).min(1),
    ports: z.array(port).default([]).describe('Ports on which its server answers.'),
  })
  .describe('A host outside the cluster.');

const options = z
  .strictObject({
    deny: z.enum(['drop', 'reject']).default('drop').describe('Whether denied packets vanish or are refused.'),
    established: z
      .enum(['keep', 'strict'])
      .default('keep')
      .describe('Whether a change of policy leaves open connections alone or cuts those that it denies.'),
    carry: z
      .enum(['kernel', 'relay'])
      .default('kernel')
      .describe("Who carries what is allowed: the kernel, or in containers a relay in each pod's proxy."),
  })
  .prefault({});

/** Two hosts cannot share a name or an address. */
function refuseTwins(hosts: readonly z.output<typeof external>[], context: z.RefinementCtx): void {
  const taken = new Set<string>();
  const take = (value: string, path: (string | number)[]): void => {
    if (taken.has(value))
      context.addIssue({ code: 'custom', path, message: `${value} is another host's`, input: value });
    taken.add(value);
  };
  hosts.forEach(({ name, addresses }, index) => {
    take(name, [index, 'name']);
    addresses.forEach((one, at) => take(parseIp(one)?.text ?? one, [index, 'addresses', at]));
  });
}

/** What labs are about, in the order in which they are best read. */
export const TOPICS = ['isolation', 'peers', 'ports', 'egress', 'runtime', 'design', 'other'] as const;

/** How much a lab asks for, the least first. */
export const DIFFICULTIES = ['easy', 'medium', 'hard'] as const;

/** The format of lab.yaml: the one source of its types, its checks and its JSON Schema. */
export const labSchema = z.strictObject({
  title: text.describe('What the lab is about, in a line.'),
  teaches: text.describe('What whoever runs it learns.'),
  topic: z.enum(TOPICS).default('other').describe('What it is about: labs are listed by it.'),
  difficulty: z.enum(DIFFICULTIES).default('medium').describe('How much it asks for.'),
  manifests: z.array(path).min(1).describe('Manifests that the lab starts with.'),
  external: z.array(external).superRefine(refuseTwins).default([]).describe('Hosts outside the cluster.'),
  options,
  steps: z.array(step).default([]).describe('What is tried, one after the other.'),
});

/** A lab.yaml, checked, defaults filled in. */
export type LabDocument = z.output<typeof labSchema>;

/** One step: changes, then what is expected after them. */
export type LabStep = LabDocument['steps'][number];

/** What a step expects: of a command, or of a connection. */
export type Expectation = LabStep['expect'][number];

/** A command in a pod, and what it must do. */
export type RunExpectation = Extract<Expectation, { kind: 'run' }>;

/** A connection, and whether it must pass. */
export type ConnectExpectation = Extract<Expectation, { kind: 'connect' }>;

/** The JSON Schema of lab.yaml as it is written by hand. */
export function labJsonSchema(): Readonly<Record<string, unknown>> {
  return {
    ...z.toJSONSchema(labSchema, { io: 'input', target: 'draft-2020-12' }),
    title: 'lab.yaml of netpol-lab',
  };
}

function placeOf(endpoint: Extract<Endpoint, { kind: 'pod' | 'workload' }>): PodPlace {
  const { namespace } = endpoint;
  return { namespace, pod: endpointText(endpoint).slice(namespace.length + 1) };
}
