import { z } from 'zod';
import type { FlowEvent } from '../../flows/flow-event.ts';
import type { FlowLog } from '../../flows/flow-log.ts';
import { parseEndpoint, podsOf, serviceNamed, type Endpoint } from '../../model/endpoint.ts';
import { LabError } from '../../model/lab-error.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Pod } from '../../model/pod.ts';
import { endpointProblem } from '../../model/question.ts';
import type { IpAddress } from '../../net/ip.ts';
import type { LabOptions, ProbeRequest, ProbeResult } from '../lab-client.ts';
import type { Dial, DialResult } from '../netns/dialler.ts';

const AT_ONCE = 256; // sockets open at a time; more would only wait for the same two cores
const FLOW_WAIT_MS = 200; // a refusal of the gate's reaches the client before its flow event reaches the log

const request = z.object({
  from: z.string(),
  to: z.string(),
  protocol: z.enum(['TCP', 'UDP', 'SCTP']),
  port: z.number().int().min(1).max(65535),
  timeoutMs: z.number().positive().max(600_000),
});

/** The body of the verb `probe`. */
export const PROBE_BODY = z.object({ requests: z.array(request) });

/** Tries one connection from somewhere. */
export type Dialler = (target: Omit<Dial, 'namespace'>) => Promise<DialResult>;

/** A lab as far as connections can be tried in it. */
export interface ProbedLab {
  readonly name: string;
  readonly cluster: Cluster;
  readonly deny: LabOptions['deny'];
  readonly log: FlowLog;
  /** What tries connections from a pod. @returns undefined if it does not run. */
  fromPod(pod: Pod): Dialler | undefined;
  /** What tries connections from a host outside the cluster. @returns undefined if none has this address. */
  fromOutside(address: IpAddress): Dialler | undefined;
}

/** Tries connections between the endpoints of a lab, many at once. @throws LabError usage for an endpoint that is none. */
export async function probeAll(lab: ProbedLab, requests: readonly ProbeRequest[]): Promise<ProbeResult[]> {
  const plans = requests.map((request) => ({ request, ...placesOf(lab, request) }));
  const results: ProbeResult[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < plans.length; index = next++) {
      const plan = plans[index];
      if (plan) results[index] = await probe(lab, plan);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, plans.length) }, worker));
  return results;
}

interface Plan {
  readonly request: ProbeRequest;
  readonly dial: Dialler;
  readonly address: IpAddress;
}

async function probe(lab: ProbedLab, { request, dial, address }: Plan): Promise<ProbeResult> {
  const { protocol, port, timeoutMs } = request;
  if (protocol === 'SCTP') throw new LabError('usage', 'SCTP cannot be tried: use "check", which decides by the table');
  const result = await dial({ address, protocol, port, timeoutMs });
  const outcome = await outcomeOf(lab, protocol, result);
  return { outcome, allowed: outcome === 'connected' || outcome === 'refused', ms: result.ms };
}

async function outcomeOf(
  lab: ProbedLab,
  protocol: 'TCP' | 'UDP',
  { outcome, sourcePort }: DialResult,
): Promise<ProbeResult['outcome']> {
  if (outcome.kind !== 'error') return outcome.kind;
  if (lab.deny === 'reject' && (await wasDenied(lab.log, protocol, sourcePort))) return 'rejected';
  return outcome.code === 'ECONNREFUSED' ? 'refused' : 'unreachable';
}

/** Whether the gate denied the connection from that port. What the gate never saw, it did not deny. */
function wasDenied(log: FlowLog, protocol: string, sourcePort: number): Promise<boolean> {
  const isIt = (event: FlowEvent): boolean =>
    event.protocol === protocol && event.sourcePort === sourcePort && !event.carried;
  const known = log.events.findLast(isIt);
  if (known) return Promise.resolve(known.verdict === 'deny');
  return new Promise((resolve) => {
    const settle = (denied: boolean): void => {
      clearTimeout(timer);
      unfollow();
      resolve(denied);
    };
    const timer = setTimeout(() => {
      settle(false);
    }, FLOW_WAIT_MS);
    const unfollow = log.follow((event) => {
      if (isIt(event)) settle(event.verdict === 'deny');
    });
  });
}

function placesOf(lab: ProbedLab, { from, to }: ProbeRequest): { dial: Dialler; address: IpAddress } {
  const source = sourceOf(lab, endpointOf(from));
  const targets = targetsOf(lab, endpointOf(to));
  const address = targets.find(({ family }) => source.families.includes(family));
  if (!address) throw new LabError('usage', `${from} and ${to} have no address of one family`);
  return { dial: source.dial, address };
}

function endpointOf(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (!endpoint) throw new LabError('usage', endpointProblem(text));
  return endpoint;
}

function sourceOf(lab: ProbedLab, endpoint: Endpoint): { dial: Dialler; families: readonly number[] } {
  for (const pod of podsOf(lab.cluster, endpoint)) {
    const dial = lab.fromPod(pod);
    if (!dial) continue;
    const addresses = endpoint.kind === 'address' ? [endpoint.address] : pod.addresses;
    return { dial, families: addresses.map(({ family }) => family) };
  }
  if (endpoint.kind === 'address') {
    const dial = lab.fromOutside(endpoint.address);
    if (dial) return { dial, families: [endpoint.address.family] };
    throw new LabError(
      'usage',
      `${endpoint.address.text} is neither a pod's nor an external host's of lab ${lab.name}`,
    );
  }
  throw new LabError('usage', `no pod of lab ${lab.name} is ${endpointName(endpoint)}: see "netpol-lab get pods -A"`);
}

/** Addresses that the endpoint can be reached at: a Service's own, so that the network translates it. */
function targetsOf(lab: ProbedLab, endpoint: Endpoint): readonly IpAddress[] {
  if (endpoint.kind === 'address') return [endpoint.address];
  const service = endpoint.kind === 'service' ? serviceNamed(lab.cluster, endpoint) : undefined;
  if (service?.kind.kind === 'clusterIP') return service.kind.addresses;
  const [pod] = podsOf(lab.cluster, endpoint).filter(({ addresses }) => addresses.length > 0);
  if (!pod)
    throw new LabError('usage', `no pod of lab ${lab.name} is ${endpointName(endpoint)}: see "netpol-lab get pods -A"`);
  return pod.addresses;
}

function endpointName(endpoint: Exclude<Endpoint, { kind: 'address' }>): string {
  return `${endpoint.namespace}/${endpoint.name}`;
}
