import { randomBytes } from 'node:crypto';
import type { DirectionReport, FlowEvent, VerdictReport } from '../flows/flow-event.ts';
import type { ControlClient } from '../lab/control-client.ts';
import type { ExternalHost, LabClient, LabSpec, ProbeRequest, ProbeResult } from '../lab/lab-client.ts';
import type { Cluster } from '../model/cluster.ts';
import { podsOf } from '../model/endpoint.ts';
import { LabError } from '../model/lab-error.ts';
import type { Connection } from '../model/verdict.ts';
import type { IpAddress } from '../net/ip.ts';
import { reasonText } from '../report/verdict-text.ts';
import type { ManifestChange } from '../why/manifest-change.ts';
import { labCopy } from './lab-objects.ts';
import { LabSession } from './lab-session.ts';

const TIMEOUT_MS = 1000; // an answer within this machine takes a few

/** A real connection, and what the gate said of it; null if it has not seen it. */
export interface Trial {
  readonly outcome: ProbeResult['outcome'];
  readonly ms: number;
  readonly verdict: FlowEvent['verdict'] | null;
  /** The policies that decided. */
  readonly reason: string;
}

/** A connection in a copy of a lab, before and after a change. It is proven if it is denied before and allowed after. */
export interface Proof {
  readonly before: Trial;
  readonly after: Trial;
  readonly proven: boolean;
}

/** What is to be proven. */
export interface Claim {
  readonly cluster: Cluster;
  readonly connection: Connection;
  readonly changes: readonly ManifestChange[];
}

/**
 * Makes the connection in a copy of the lab, in namespaces of its own, before and after the changes. The copy is gone
 * afterwards, also if a signal ends the program; the lab itself is only asked for its objects.
 * @throws LabError usage for what cannot be dialled.
 */
export async function prove(client: ControlClient, claim: Claim, onProgress: (text: string) => void): Promise<Proof> {
  const request = requestOf(claim.connection);
  const { options, external } = await client.status();
  const spec: LabSpec = {
    name: `why-${randomBytes(3).toString('hex')}`,
    files: [await labCopy(client)],
    external: [...external, ...missingHosts(claim, external)],
    options: { ...options, carry: 'kernel' }, // in namespaces nothing else carries
  };
  await using session = new LabSession();
  return await session.during(async () => {
    const { client: copy } = await session.start(spec, onProgress);
    const before = await tryIn(copy, request);
    const changed = claim.changes.map(({ path, object }) => ({ path, text: JSON.stringify(object.value) }));
    for (const file of changed) await copy.apply([file]);
    const after = await tryIn(copy, request);
    return { before, after, proven: before.verdict === 'deny' && after.verdict === 'allow' };
  });
}

function requestOf({ source, destination, transport, port }: Connection): ProbeRequest {
  if (transport !== 'TCP' && transport !== 'UDP') {
    throw new LabError('usage', `${transport} cannot be tried again: leave --prove out`);
  }
  return { from: source.text, to: destination.text, protocol: transport, port, timeoutMs: TIMEOUT_MS };
}

async function tryIn(lab: LabClient, request: ProbeRequest): Promise<Trial> {
  const [result] = await lab.probe([request]);
  let flow: FlowEvent | undefined;
  for await (const event of lab.flows({ follow: false })) if (!event.carried && isOf(event, request)) flow = event;
  const { outcome = 'unreachable', ms = 0 } = result ?? {};
  return { outcome, ms, verdict: flow?.verdict ?? null, reason: flow ? reasonText(unplaced(flow)) : '' };
}

/** Without files: those of the copy are none of the user's. */
function unplaced({ verdict, egress, ingress }: FlowEvent): VerdictReport {
  const side = (report: DirectionReport): DirectionReport => ({
    ...report,
    policies: report.policies.map((policy) => ({ ...policy, file: '' })),
  });
  return { verdict, egress: side(egress), ingress: side(ingress) };
}

function isOf({ from, to, protocol, port }: FlowEvent, request: ProbeRequest): boolean {
  return (
    from.address === request.from && to.address === request.to && protocol === request.protocol && port === request.port
  );
}

/** Hosts outside for ends of the connection that are in no lab: the real ones cannot be reached from one. */
function missingHosts({ cluster, connection }: Claim, external: readonly ExternalHost[]): ExternalHost[] {
  const { source, destination, transport, port } = connection;
  const known = new Set([...external.flatMap(({ addresses }) => addresses), ...cluster.pods.flatMap(nodeTexts)]);
  const isMissing = (address: IpAddress): boolean =>
    !known.has(address.text) && podsOf(cluster, { kind: 'address', address }).length === 0;
  const served = transport === 'TCP' || transport === 'UDP' ? [{ protocol: transport, port }] : [];
  return [
    ...(isMissing(destination) ? [{ name: 'destination.example', addresses: [destination.text], ports: served }] : []),
    ...(isMissing(source) ? [{ name: 'source.example', addresses: [source.text], ports: [] }] : []),
  ];
}

function nodeTexts({ nodeAddresses }: Cluster['pods'][number]): string[] {
  return nodeAddresses.map(({ text }) => text);
}

/** The proof for a person to read. */
export function proofText({ before, after, proven }: Proof): string {
  return [
    'the same connection in a copy of the lab:',
    `  before the change: ${trialText(before)}`,
    `  after the change:  ${trialText(after)}`,
    proven ? 'proven: the change lets it through' : 'not proven',
  ].join('\n');
}

function trialText({ outcome, ms, verdict, reason }: Trial): string {
  return `${outcome} after ${ms.toFixed(0)} ms; ${verdict === null ? 'the gate has not seen it' : reason}`;
}
