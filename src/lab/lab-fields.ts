import { z } from 'zod';
import { endpointText, parseEndpoint } from '../model/endpoint.ts';
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

function wantsPort({ input }: { input?: unknown }): string {
  return `got ${JSON.stringify(input)}, want a port such as 80, 80/TCP or 53/UDP`;
}

/** A text that is not empty. */
export const text = z.string().min(1, 'must not be empty');

/** A file or folder of a lab's. */
export const path = text.describe("A file or folder, relative to the lab's folder.");

/** A port that real connections can use. */
export const port = z
  .union([z.int().min(1).max(65535), z.string().regex(PORT, { error: wantsPort })], { error: wantsPort })
  .describe('80, 80/TCP or 53/UDP; TCP if no protocol is given.')
  .transform((value, context): LabPort => {
    const { protocol, port } = parsePortSpec(String(value)) ?? {};
    if (port !== undefined && (protocol === 'TCP' || protocol === 'UDP')) return { protocol, port };
    context.addIssue(wantsPort({ input: value }));
    return z.NEVER;
  });

/** A time as it is written; ms. */
export const duration = z
  .string()
  .regex(DURATION, { error: ({ input }) => `got ${JSON.stringify(input)}, want a time such as 500ms, 5s or 1m` })
  .transform((value) => {
    const [, digits = '', unit = 's'] = DURATION.exec(value) ?? [];
    return Number(digits) * UNIT_MS[unit as keyof typeof UNIT_MS];
  });

/** An IP address. */
export const address = z.string().refine((value) => parseIp(value) !== undefined, {
  error: ({ input }) => `got ${JSON.stringify(input)}, want an IPv4 or IPv6 address`,
});

/** An end of a connection. */
export const endpoint = z
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

/** A pod to run a command in, or a workload. */
export const place = z
  .string()
  .describe('NAMESPACE/POD or NAMESPACE/KIND/NAME: any pod of that workload.')
  .transform((value, context): PodPlace => {
    const parsed = placeNamed(value);
    if (parsed) return parsed;
    context.addIssue(`got ${JSON.stringify(value)}, want NAMESPACE/POD or NAMESPACE/KIND/NAME`);
    return z.NEVER;
  });

/** A pod. */
export const podName = z
  .string()
  .describe('NAMESPACE/POD.')
  .transform((value, context): { readonly namespace: string; readonly name: string } => {
    const parsed = parseEndpoint(value);
    if (parsed?.kind === 'pod') return parsed;
    context.addIssue(`got ${JSON.stringify(value)}, want NAMESPACE/POD`);
    return z.NEVER;
  });

/** A regular expression. */
export const pattern = z
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

/** The pod or workload that is written so. @returns undefined if it is neither. */
export function placeNamed(text: string): PodPlace | undefined {
  const parsed = parseEndpoint(text);
  if (parsed?.kind !== 'pod' && parsed?.kind !== 'workload') return undefined;
  const { namespace } = parsed;
  return { namespace, pod: endpointText(parsed).slice(namespace.length + 1) };
}
