import { setTimeout as delay } from 'node:timers/promises';
import type { ApiStore } from '../apiserver/api-store.ts';
import { FlowLog } from '../flows/flow-log.ts';
import type { DirectionReport, FlowEvent, VerdictReport } from '../flows/flow-event.ts';
import type { Backend, NodeFacts, PodReport } from '../lab/control-plane/backend.ts';
import { ControlPlane } from '../lab/control-plane/control-plane.ts';
import { EgressAdmission } from '../lab/control-plane/egress-admission.ts';
import type { Dialler, ProbedLab } from '../lab/control-plane/prober.ts';
import type { LabSpec } from '../lab/lab-client.ts';
import type { Cluster } from '../model/cluster.ts';
import { isFinished, podKey, type Pod } from '../model/pod.ts';
import type { Connection } from '../model/verdict.ts';
import { parseIp, type IpAddress } from '../net/ip.ts';
import { parsePort } from '../net/port.ts';
import { stagedReport } from '../report/staged-report.ts';
import { directionReport, nearestOf, withCaveat } from '../report/verdict-report.ts';
import { verdictIn } from '../table/cluster-verdict.ts';
import { compile } from '../table/compile.ts';
import { nearMisses } from '../table/near-miss.ts';
import type { PolicyTable } from '../table/policy-table.ts';
import { FlowMerger, type MergedFlow } from './flow-merger.ts';
import { FlowSources } from './flow-sources.ts';
import type { JudgedFlow } from './messages.ts';
import { reportFrom, unstarted } from './pod-report.ts';
import { ProxyFleet, versionsOf, type LiveProxy } from './proxy-fleet.ts';

/** What a lab in containers is started from. */
export interface ContainerLabOptions {
  readonly spec: LabSpec;
  readonly store: ApiStore;
  readonly node: NodeFacts;
  /** The Unix socket that proxies connect to. */
  readonly socket: string;
  /** Writes a line to whoever looks after the container. */
  readonly say: (line: string) => void;
}

const FLOWS_KEPT = 10_000;
const PODS_READY_DEADLINE_MS = 20_000; // one that is not ready by then may never be; Compose gives up after a minute
const PODS_READY_POLL_MS = 100;

/**
 * The control plane of a lab whose pods are containers. It starts none: proxies tell of the pods that there are. A change
 * is stored, and answered once every live proxy has it in force.
 */
export class ContainerLab implements Backend {
  readonly spec: LabSpec;
  readonly plane: ControlPlane;
  readonly log = new FlowLog(FLOWS_KEPT);
  readonly admission: EgressAdmission;
  readonly #options: ContainerLabOptions;
  readonly #merger: FlowMerger;
  readonly #sources = new FlowSources(() => this.table);
  readonly #seen = new Map<string, LiveProxy>();
  #fleet: ProxyFleet | undefined;
  /** Keys of the pods that the lab was started with. */
  #planned: ReadonlySet<string> | undefined;
  #table: PolicyTable | undefined;
  #addresses: { readonly of: Cluster; readonly names: ReadonlyMap<string, string> } | undefined;

  private constructor(options: ContainerLabOptions) {
    const { spec, store, node, say } = options;
    this.spec = spec;
    this.#options = options;
    const onError = (error: unknown): void => {
      say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    };
    const {
      name,
      options: { cni },
    } = spec;
    this.plane = new ControlPlane({ name, store, backend: this, node, givesPodAddresses: false, cni, onError });
    this.admission = new EgressAdmission({
      spec,
      table: () => this.table,
      isReady: (pod) => this.plane.isReady(pod),
      log: this.log,
    });
    this.#merger = new FlowMerger({
      hasProxy: (address) => this.#fleet?.get(this.#names.get(address) ?? '')?.role === 'pod',
      predict: (flow, side) => this.#predict(flow, side),
      emit: (flow) => {
        this.#record(flow);
      },
    });
  }

  /** Reads the manifests, or goes on with what the store has. @throws LabError usage if they are refused. */
  static async start(options: ContainerLabOptions): Promise<ContainerLab> {
    const lab = new ContainerLab(options);
    const { spec, store, socket } = options;
    await lab.plane.start(spec.files);
    lab.#planned = new Set(lab.plane.cluster.pods.map(podKey));
    const external = spec.external.flatMap(({ addresses }) => addresses);
    const welcome = { kind: 'welcome', options: spec.options, external } as const;
    lab.#fleet = await ProxyFleet.listen(socket, welcome, {
      changed: (name) => {
        lab.#proxyChanged(name);
      },
      judged: (flows, dropped) => {
        if (dropped > 0) options.say(`${dropped} flows are not in the log: a proxy could not keep them`);
        for (const flow of flows) lab.#merger.add(flow);
      },
    });
    store.users.onStored = () => lab.inForce();
    return lab;
  }

  /** The table of the cluster as it is stored. */
  get table(): PolicyTable {
    const { cluster } = this.plane;
    if (this.#table?.cluster !== cluster) this.#table = compile(cluster);
    return this.#table;
  }

  /** What is wrong with the manifests, and what proxies could not understand. */
  get warnings(): readonly string[] {
    const complaints = [...this.#seen.values()].flatMap(({ enforced }) => enforced?.complaints ?? []);
    return [...this.plane.warnings, ...new Set(complaints)];
  }

  /** The lab for probes, which its proxies make. */
  get probed(): ProbedLab {
    const from = (name: string): Dialler | undefined =>
      this.#fleet?.get(name) &&
      (({ address, ...target }) => this.#fleetOrThrow.probe(name, { ...target, address: address.text }));
    return {
      name: this.spec.name,
      cluster: this.plane.cluster,
      deny: this.spec.options.deny,
      log: this.log,
      fromPod: (pod) => from(podKey(pod)),
      fromOutside: ({ text }) => from(this.#hostAt(text) ?? ''),
    };
  }

  enforce(): Promise<void> {
    this.admission.recheck();
    return Promise.resolve(); // proxies learn of it from the store
  }

  /** What is known of the pod from its proxy. */
  reportOf(key: string): PodReport | undefined {
    const pod = this.plane.cluster.pods.find((each) => podKey(each) === key);
    if (!pod || isFinished(pod)) return undefined;
    const live = this.#fleet?.get(key);
    const proxy = live ?? this.#seen.get(key);
    if (proxy) return reportFrom(proxy, { pod, isLive: live !== undefined });
    return pod.hostNetwork || this.#planned?.has(key) === false ? unstarted(pod) : undefined;
  }

  /** Resolves when every pod that the lab was started with is ready, and all proxies know it; after a while in any case. Throws if `signal` aborts. */
  async podsReady(signal: AbortSignal): Promise<void> {
    const deadline = Date.now() + PODS_READY_DEADLINE_MS;
    while (Date.now() < deadline && !this.plane.cluster.pods.every((pod) => this.#isSettled(pod))) {
      await delay(PODS_READY_POLL_MS, undefined, { signal });
    }
    await this.plane.reportsStored();
    await this.inForce();
    signal.throwIfAborted();
  }

  /** Whether nothing more is to be waited for: pods that come later never start. */
  #isSettled(pod: Pod): boolean {
    return pod.hostNetwork || !this.#planned?.has(podKey(pod)) || isFinished(pod) || this.plane.isReady(pod);
  }

  /** Resolves when all that is stored is in force in every pod, or with a warning after five seconds. */
  async inForce(): Promise<string[]> {
    const lagging = await this.#fleetOrThrow.enforced(versionsOf(this.plane.store.objects));
    if (lagging.length === 0) return [];
    const warning = `not in force yet in ${lagging.join(', ')}: their proxies do not answer`;
    this.#options.say(warning);
    return [warning];
  }

  async stop(): Promise<void> {
    this.#merger[Symbol.dispose]();
    await this.#fleet?.[Symbol.asyncDispose]();
    await this.plane.store.close();
  }

  #proxyChanged(name: string): void {
    const proxy = this.#fleet?.get(name);
    if (proxy?.role === 'external') return;
    if (proxy) this.#seen.set(name, proxy);
    const [namespace = '', pod = ''] = name.split('/');
    if (this.plane.podObject({ namespace, name: pod })) this.plane.podChanged(name);
  }

  get #fleetOrThrow(): ProxyFleet {
    if (!this.#fleet) throw new Error('the lab has not started');
    return this.#fleet;
  }

  /** Who has which address: pods, the node, hosts outside. */
  get #names(): ReadonlyMap<string, string> {
    const { cluster } = this.plane;
    if (this.#addresses?.of !== cluster) {
      const named = (addresses: readonly string[], name: string): [string, string][] =>
        addresses.map((text) => [text, name]);
      const { node } = this.#options;
      const names = new Map([
        ...named(textsOf(node.addresses), node.name),
        ...this.spec.external.flatMap(({ name, addresses }) => named(addresses, name)),
        ...cluster.pods.flatMap((pod) => (pod.hostNetwork ? [] : named(textsOf(pod.addresses), podKey(pod)))),
      ]);
      this.#addresses = { of: cluster, names };
    }
    return this.#addresses.names;
  }

  #hostAt(address: string): string | undefined {
    return this.spec.external.find(({ addresses }) => addresses.includes(address))?.name;
  }

  #predict(flow: JudgedFlow, side: JudgedFlow['side']): DirectionReport {
    const connection = connectionOf(flow);
    if (!connection) return { verdict: 'deny', isolated: true, policies: [] };
    const verdict = this.table.explain(connection);
    return nearestOf(directionReport(verdict[side]), side, nearMisses(this.table.cluster, connection, verdict));
  }

  #stagedOf(judged: VerdictReport, connection: Connection | undefined): Pick<FlowEvent, 'staged'> {
    const { staged } = this.plane;
    return stagedReport(judged, staged && connection && verdictIn(staged.cluster, connection));
  }

  #record({ timeMs, source, destination, protocol, sourcePort, port, carried, ...judged }: MergedFlow): void {
    const party = (address: string) => ({ name: this.#names.get(address) ?? '', address });
    const connection = connectionOf({ source, destination, protocol, port });
    const sourced = (report: DirectionReport): DirectionReport =>
      connection ? this.#sources.sourced(report, connection) : report;
    const event: FlowEvent = {
      time: new Date(timeMs).toISOString(),
      from: party(source),
      to: party(destination),
      ...{ protocol, sourcePort, port },
      verdict: judged.verdict,
      egress: sourced(judged.egress),
      ingress: sourced(judged.ingress),
      ...(carried ? { carried } : this.#stagedOf(judged, connection)),
    };
    this.log.add(withCaveat(event, this.plane.cluster));
  }
}

function connectionOf({
  source,
  destination,
  protocol,
  port,
}: Pick<JudgedFlow, 'source' | 'destination' | 'protocol' | 'port'>): Connection | undefined {
  const [from, to] = [parseIp(source), parseIp(destination)];
  return from && to && { source: from, destination: to, transport: protocol, port: parsePort(port) ?? 0 };
}

function textsOf(addresses: readonly IpAddress[]): string[] {
  return addresses.map(({ text }) => text);
}
