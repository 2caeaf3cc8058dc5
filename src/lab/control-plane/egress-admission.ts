import type { FlowLog } from '../../flows/flow-log.ts';
import type { FlowParty, VerdictReport } from '../../flows/flow-event.ts';
import { podsBehind, podsOf, serviceAt } from '../../model/endpoint.ts';
import { podKey, type Pod } from '../../model/pod.ts';
import { serviceEndpoints } from '../../model/service.ts';
import type { Connection } from '../../model/verdict.ts';
import { parseIp, type IpAddress } from '../../net/ip.ts';
import { parsePort, type Port } from '../../net/port.ts';
import { contains, parsePrefix } from '../../net/prefix.ts';
import { verdictReport, withNearest } from '../../report/verdict-report.ts';
import { reasonText } from '../../report/verdict-text.ts';
import { nearMisses } from '../../table/near-miss.ts';
import type { PolicyTable } from '../../table/policy-table.ts';
import type { EgressAnswer, EgressQuestion } from '../egress-question.ts';
import type { LabSpec } from '../lab-client.ts';
import { isEgressGateway } from '../netns/workload-kind.ts';

/** What decides for egress gateways. */
export interface AdmissionSetting {
  readonly spec: Pick<LabSpec, 'external' | 'options'>;
  /** The table in force. */
  readonly table: () => PolicyTable;
  readonly isReady: (pod: Pod) => boolean;
  /** Takes what was judged, as the client's connection. */
  readonly log: FlowLog;
}

/** The answer to a gateway, and for how long it holds. */
export interface Admission {
  readonly answer: EgressAnswer;
  /** Aborted when policies deny it, in a lab that cuts what they deny; undefined if it holds for as long as it is used. */
  readonly revoked: AbortSignal | undefined;
  /** To be called when it is used no more. */
  readonly release: () => void;
}

interface Lease {
  readonly connection: Connection;
  readonly ending: AbortController;
}

// Addresses that mean the machine or the link they are used on: a gateway's own, where its client means its own.
const LOCAL = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '::/127',
  '::ffff:0:0/96',
  'fe80::/10',
  'ff00::/8',
];
const LOCAL_PREFIXES = LOCAL.flatMap((text) => parsePrefix(text) ?? []);

type Destination =
  { readonly kind: 'at'; readonly address: IpAddress; readonly port: Port } | Extract<EgressAnswer, { reason: string }>;

/**
 * Judges what egress gateways dial for their clients: by what policies say of the connection that the client would
 * make itself, its egress and the destination's ingress. What the gate says of the gateway's own connection comes on top.
 */
export class EgressAdmission {
  readonly #setting: AdmissionSetting;
  readonly #leases = new Set<Lease>();

  constructor(setting: AdmissionSetting) {
    this.#setting = setting;
  }

  /** Judges one connection by the table in force, and logs it. */
  admit(question: EgressQuestion): Admission {
    const { cluster } = this.#setting.table();
    const address = parseIp(question.client);
    const [client] = address ? podsOf(cluster, { kind: 'address', address }) : [];
    if (!client) return refusal('denied', `no pod has the address ${question.client}: a gateway serves pods alone`);
    // Behind another gateway, or behind itself, it would not know whom it dials for.
    if (client.containers.some(isEgressGateway)) return refusal('denied', 'a gateway serves no gateway');
    const to = this.#destinationOf(question);
    if (to.kind !== 'at') return refusal(to.kind, to.reason);
    const source = client.addresses.find(({ family }) => family === to.address.family);
    if (!source) return refusal('unreachable', `${podKey(client)} has no IPv${to.address.family} address`);
    const connection = { source, destination: to.address, transport: 'TCP', port: to.port } as const;
    const verdict = this.#setting.table().explain(connection);
    const report = withNearest(verdictReport(verdict), nearMisses(cluster, connection, verdict));
    this.#record(question, { connection, client, report });
    if (report.verdict === 'deny') return refusal('denied', this.#denial(connection, client, report));
    return this.#allowed(connection, to);
  }

  /** Looks again at all that is in use, by the table that is now in force. */
  recheck(): void {
    if (this.#leases.size === 0) return;
    const table = this.#setting.table();
    for (const lease of this.#leases) {
      if (table.explain(lease.connection).allowed) continue;
      this.#leases.delete(lease);
      lease.ending.abort();
    }
  }

  #allowed(connection: Connection, { address, port }: { address: IpAddress; port: Port }): Admission {
    const revocable = this.#setting.spec.options.established === 'strict';
    const answer = { kind: 'allowed', address: address.text, port, revocable } as const;
    if (!revocable) return { answer, revoked: undefined, release: nothing };
    const lease = { connection, ending: new AbortController() };
    this.#leases.add(lease);
    return { answer, revoked: lease.ending.signal, release: () => void this.#leases.delete(lease) };
  }

  /** Where the address and port lead: to a ready pod, if they are a Service's. */
  #destinationOf({ destination, port: asked }: EgressQuestion): Destination {
    const { cluster } = this.#setting.table();
    const address = parseIp(destination);
    const port = parsePort(asked);
    if (!address || !port) return { kind: 'unreachable', reason: `${destination} port ${asked} is no destination` };
    if (LOCAL_PREFIXES.some((prefix) => contains(prefix, address)))
      return { kind: 'denied', reason: `${destination} is nowhere that a gateway can lead to` };
    const service = serviceAt(cluster, address);
    if (!service) return { kind: 'at', address, port };
    const served = service.ports.find((each) => each.protocol === 'TCP' && each.port === port);
    const ready = podsBehind(cluster, service).filter(
      (pod) => service.publishNotReadyAddresses || this.#setting.isReady(pod),
    );
    const ends = served ? serviceEndpoints(served, ready, address.family) : [];
    const end = ends[Math.floor(Math.random() * ends.length)];
    if (end) return { kind: 'at', address: end.address, port: end.port };
    return { kind: 'unreachable', reason: `no ready pod is behind port ${port}/TCP of Service ${podKey(service)}` };
  }

  #record(
    { gateway, clientPort }: EgressQuestion,
    { connection, client, report }: { connection: Connection; client: Pod; report: VerdictReport },
  ): void {
    const { source, destination, port } = connection;
    this.#setting.log.add({
      time: new Date().toISOString(),
      from: { name: podKey(client), address: source.text },
      to: this.#party(destination),
      ...{ protocol: 'TCP', sourcePort: clientPort, port },
      ...report,
      via: gateway,
    });
  }

  /** As `explain` says it: `default/client -> 203.0.113.10 443/TCP denied: egress denied: isolated by …`. */
  #denial({ destination, port }: Connection, client: Pod, report: VerdictReport): string {
    const { name, address } = this.#party(destination);
    const place = name === '' ? address : `${name} (${address})`;
    return `${podKey(client)} -> ${place} ${port}/TCP: ${reasonText(report)}`;
  }

  #party(address: IpAddress): FlowParty {
    const [pod] = podsOf(this.#setting.table().cluster, { kind: 'address', address });
    const host = this.#setting.spec.external.find(({ addresses }) =>
      addresses.some((text) => parseIp(text)?.text === address.text),
    );
    return { name: pod ? podKey(pod) : (host?.name ?? ''), address: address.text };
  }
}

function refusal(kind: 'denied' | 'unreachable', reason: string): Admission {
  return { answer: { kind, reason }, revoked: undefined, release: nothing };
}

function nothing(): void {
  // It holds for as long as it is used.
}
