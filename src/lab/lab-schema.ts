import { z } from 'zod';
import { CNI_NAMES } from '../cni/profile.ts';
import { parseIp } from '../net/ip.ts';
import { expectation } from './expectation-schema.ts';
import { learn } from './learn-schema.ts';
import { address, path, place, podName, port, text } from './lab-fields.ts';

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;

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

const command = z
  .strictObject({
    run: text.describe('A command line, run by sh -c in the pod.'),
    in: place,
    as: text.describe('What expectations call it.'),
  })
  .transform(({ run, in: pod, as }) => ({ command: run, pod, as }));

const step = z.strictObject({
  text: text.describe('What is tried, and why.'),
  apply: z.array(path).default([]).describe('Manifests to apply, before anything is tried.'),
  delete: z.array(path).default([]).describe('Manifests whose objects to delete, after those to apply.'),
  label: z.array(labelChange).default([]).describe('Labels to change, after that.'),
  start: z.array(command).default([]).describe('Commands that go on until the lab ends, started after all changes.'),
  expect: z.array(expectation).default([]).describe('What must happen then.'),
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
      .optional()
      .describe(
        'Whether a change of policy leaves open connections alone or cuts those that it denies; as the CNI does unless given.',
      ),
    cni: z.enum(CNI_NAMES).default('reference').describe('The CNI as which policies are enforced.'),
    carry: z
      .enum(['auto', 'kernel', 'relay'])
      .default('auto')
      .describe(
        "Who carries what is allowed: the kernel, or in containers a relay in each pod's proxy, as is usual there.",
      ),
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

/** What pods can be: network namespaces, or containers of Docker. */
const BACKENDS = ['netns', 'compose'] as const;

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
  backends: z
    .array(z.enum(BACKENDS))
    .min(1)
    .default([...BACKENDS])
    .describe('Where it can run; in containers no pods can be added.'),
  options,
  learn: learn.optional().transform((task) => task ?? null),
  steps: z.array(step).default([]).describe('What is tried, one after the other.'),
});

/** A lab.yaml, checked, defaults filled in. */
export type LabDocument = z.output<typeof labSchema>;

/** One step: changes, then what is expected after them. */
export type LabStep = LabDocument['steps'][number];

/** The JSON Schema of lab.yaml as it is written by hand. */
export function labJsonSchema(): Readonly<Record<string, unknown>> {
  return {
    ...z.toJSONSchema(labSchema, { io: 'input', target: 'draft-2020-12' }),
    title: 'lab.yaml of netpol-lab',
  };
}
