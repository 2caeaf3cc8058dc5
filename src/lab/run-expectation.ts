import type { RunResult, ConnectResult, ExpectationResult, Trial } from './trial.ts';
import type { FlowEvent, FlowParty } from '../flows/flow-event.ts';
import { parseEndpoint } from '../model/endpoint.ts';
import { invariant } from '../model/invariant.ts';
import type { ConnectExpectation, Expectation, RunExpectation } from './expectation-schema.ts';
import type { LabClient, LabOptions, ProbeResult } from './lab-client.ts';
import { tryPod, tryStarted } from './run-watch.ts';

/** Tries what a step expects, for real. */
export function tryExpectation(trial: Trial, expectation: Expectation): Promise<ExpectationResult> {
  switch (expectation.kind) {
    case 'run':
      return tryRun(trial, expectation);
    case 'connect':
      return tryConnect(trial, expectation);
    case 'pod':
      return tryPod(trial, expectation);
    case 'started':
      return tryStarted(trial, expectation);
  }
}

async function tryRun({ client, host }: Trial, expectation: RunExpectation): Promise<RunResult> {
  const { namespace, pod } = await client.execTarget(expectation.pod);
  const startedAt = host.now();
  const { exit, output, ms, timedOut } = await host.execCapture(client, {
    namespace,
    pod,
    command: ['sh', '-c', expectation.command],
    timeoutMs: expectation.withinMs,
  });
  const name = `${namespace}/${pod}`;
  const flows = await flowsSince(client, startedAt, ({ from }) => from.name === name);
  const decisive = decisiveFlow(flows, timedOut || exit !== 0);
  const failures = [
    ...runFailures(expectation, { exit, output, timedOut }),
    ...denialFailures(expectation.denied, decisive),
  ];
  return { kind: 'run', expectation, pod: name, exit, output, ms, flows, decisive, failures };
}

function runFailures(
  { exit, output, withinMs }: RunExpectation,
  seen: { readonly exit: number; readonly output: string; readonly timedOut: boolean },
): string[] {
  if (seen.timedOut) return [`expected it to end within ${withinMs / 1000} s, it did not`];
  return [
    ...(seen.exit === exit ? [] : [`expected exit code ${exit}, got ${seen.exit}`]),
    ...(output === null || output.test(seen.output) ? [] : [`expected output like /${output.source}/, there is none`]),
  ];
}

async function tryConnect({ client, host, options }: Trial, expectation: ConnectExpectation): Promise<ConnectResult> {
  const { from, to, protocol, port, withinMs } = expectation;
  const startedAt = host.now();
  const [probe] = await client.probe([{ from, to, protocol, port, timeoutMs: withinMs }]);
  invariant(probe, 'a probe has a result for each request');
  const isFrom = partyMatcher(from);
  const flows = await flowsSince(client, startedAt, (flow) => flow.protocol === protocol && isFrom(flow.from));
  const decisive = decisiveFlow(flows, !probe.allowed);
  const failures = [
    ...connectFailures(expectation, { probe, decisive, deny: options.deny }),
    ...denialFailures(expectation.denied, decisive),
  ];
  return { kind: 'connect', expectation, outcome: probe.outcome, ms: probe.ms, flows, decisive, failures };
}

/** A denial counts only if it looks like one and a policy is behind it: silence alone proves nothing. */
function connectFailures(
  { verdict }: ConnectExpectation,
  seen: { readonly probe: ProbeResult; readonly decisive: FlowEvent | null; readonly deny: LabOptions['deny'] },
): string[] {
  const { outcome, allowed } = seen.probe;
  if (verdict === 'allow') return allowed ? [] : [`expected allow, got ${outcome}`];
  if (allowed) return [`expected deny, got ${outcome}`];
  const denied = seen.deny === 'drop' ? 'timeout' : 'rejected';
  if (outcome !== denied) return [`expected deny (${denied}), got ${outcome}`];
  return seen.decisive?.verdict === 'deny' ? [] : [`expected deny, got ${outcome}, but no policy denied it`];
}

function denialFailures(expected: RunExpectation['denied'], decisive: FlowEvent | null): string[] {
  if (expected === null) return [];
  const sides = (['egress', 'ingress'] as const).filter((side) => decisive?.[side].verdict === 'deny');
  const isMet = sides.length === expected.length && sides.every((side) => expected.includes(side));
  return isMet ? [] : [`expected ${sidesText(expected)} to deny, got ${sidesText(sides)}`];
}

function sidesText(sides: readonly string[]): string {
  return sides.length === 0 ? 'neither side' : sides.join(' and ');
}

function decisiveFlow(flows: readonly FlowEvent[], failed: boolean): FlowEvent | null {
  const denied = failed ? flows.findLast(({ verdict }) => verdict === 'deny') : undefined;
  // What a gateway asked about is what the command was after; the way to the gateway is only its beginning.
  return denied ?? flows.findLast(({ via }) => via !== undefined) ?? flows.at(-1) ?? null;
}

async function flowsSince(
  client: LabClient,
  startedAt: number,
  wanted: (flow: FlowEvent) => boolean,
): Promise<FlowEvent[]> {
  const since = new Date(startedAt).toISOString();
  const flows: FlowEvent[] = [];
  for await (const flow of client.flows({ follow: false })) {
    if (flow.time >= since && !flow.carried && wanted(flow)) flows.push(flow);
  }
  return flows;
}

/** Whether a flow's end is the endpoint. Of a workload, any of its pods: their names begin with its name. */
function partyMatcher(endpoint: string): (party: FlowParty) => boolean {
  const parsed = parseEndpoint(endpoint);
  switch (parsed?.kind) {
    case 'address':
      return ({ address }) => address === parsed.address.text;
    case 'workload':
      return ({ name }) => name.startsWith(`${parsed.namespace}/${parsed.name}-`);
    default:
      return ({ name }) => name === endpoint;
  }
}
