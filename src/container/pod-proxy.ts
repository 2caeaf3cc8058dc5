import { rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DataPlane } from '../dataplane/dataplane.ts';
import type { PodFirewall } from '../dataplane/pod-firewall.ts';
import type { CarriedFlow } from '../dataplane/relay/carried-flow.ts';
import type { Relay } from '../dataplane/relay/relay.ts';
import { ListWatch } from '../kube/list-watch.ts';
import type { ApiLocation } from '../kube/api-location.ts';
import type { LabOptions } from '../lab/lab-client.ts';
import { invariant } from '../model/invariant.ts';
import type { IpAddress } from '../net/ip.ts';
import { ControlLink } from './control-link.ts';
import { FOLLOWED, FOLLOWED_NAMES, type FollowedName } from './followed.ts';
import { FlowReporter } from './flow-reporter.ts';
import type { Enforced, FromProxy, ToProxy, Welcome } from './messages.ts';
import { closeWayOut, ownAddresses, routeTo, routeToServices } from './own-network.ts';
import { PodReadiness } from './pod-readiness.ts';
import { PodView } from './pod-view.ts';
import { probe } from './probe.ts';

/** What a proxy is started with. The firewall is closed; the network namespace is this process's own. */
export interface PodProxyOptions {
  /** NAMESPACE/NAME. */
  readonly pod: string;
  readonly firewall: PodFirewall;
  /** Names of the containers whose commands show how they go. */
  readonly shown: readonly string[];
  /** Number of the gate's packet queue; the relay has the next. */
  readonly queue: number;
  readonly api: ApiLocation;
  /** The Unix socket of the control plane, which says how to enforce. */
  readonly controlSocket: string;
  /** A file that is there while the pod is open, and once it has finished: nothing is to be waited for. */
  readonly readyFile: string;
  /** Writes a line to whoever looks after the container. */
  readonly say: (line: string) => void;
  /** Called if the gate dies or cannot be started: nothing passes from then on. */
  readonly onFailure: (error: Error) => void;
}

/**
 * The proxy of one pod, in the pod's network namespace: it follows the cluster, keeps the pod's decision table, and
 * enforces it. Until its first table is in force, and whenever the cluster does not have its pod, nothing passes.
 */
export class PodProxy {
  readonly #options: PodProxyOptions;
  readonly #addresses: readonly IpAddress[];
  readonly #view: PodView;
  readonly #reporter: FlowReporter;
  readonly #startedAt = new Date().toISOString();
  readonly #watches: ListWatch[] = [];
  readonly #versions = new Map<FollowedName, string>();
  readonly #troubles = new Map<FollowedName, string>();
  #link: ControlLink | undefined;
  #readiness: PodReadiness | undefined;
  #labOptions: LabOptions | undefined;
  #plane: DataPlane<PodFirewall> | undefined;
  #open = false;
  #tableVersion = 0;
  #tableInForce: SharedArrayBuffer | undefined;
  #spareTable: SharedArrayBuffer | undefined;
  #tableChanged = true;
  #servicesInForce = '';
  #enforced: Enforced | undefined;
  #scheduled = false;
  #work: Promise<void> = Promise.resolve();

  private constructor(options: PodProxyOptions) {
    this.#options = options;
    this.#addresses = ownAddresses();
    options.firewall.setAddresses(this.#addresses);
    this.#view = new PodView(options.pod, this.#addresses);
    this.#reporter = new FlowReporter(options.pod, this.#addresses);
  }

  /** Begins to follow the cluster; enforces as soon as it knows it. @throws LabError if the pod has no address. */
  static start(options: PodProxyOptions): PodProxy {
    const proxy = new PodProxy(options);
    rmSync(options.readyFile, { force: true }); // of an earlier process
    proxy.#link = ControlLink.open(options.controlSocket, { state: () => proxy.#state(), heard: proxy.#heard });
    for (const name of FOLLOWED_NAMES) proxy.#follow(name);
    return proxy;
  }

  /** Closes the pod and ends the gate. */
  async stop(): Promise<void> {
    for (const watch of this.#watches) watch.stop();
    this.#readiness?.stop();
    await this.#work;
    await this.#plane?.stop();
    this.#link?.close();
  }

  #follow(name: FollowedName): void {
    const touched = (version?: string): void => {
      if (version === undefined) this.#tableChanged = true;
      else this.#versions.set(name, version);
      this.#enforceSoon();
    };
    const watch = ListWatch.start(this.#options.api, FOLLOWED[name], {
      replace: (objects, version) => {
        this.#view.replace(name, objects);
        touched();
        touched(version);
      },
      put: (object) => {
        this.#view.put(name, object);
        touched();
      },
      remove: (object) => {
        this.#view.remove(name, object);
        touched();
      },
      reached: (version) => {
        if (this.#troubles.delete(name)) this.#options.say(`${name}: followed again`);
        touched(version);
      },
      trouble: (error) => {
        if (this.#troubles.get(name) === error.message) return;
        this.#troubles.set(name, error.message);
        this.#options.say(`${name}: ${error.message}; what is known stays in force`);
      },
    });
    this.#watches.push(watch);
  }

  readonly #heard = (message: ToProxy): void => {
    switch (message.kind) {
      case 'welcome':
        this.#begin(message);
        break;
      case 'probe':
        void probe(message).then((probed) => this.#link?.tell(probed));
    }
  };

  /** The first word on how to enforce counts: it does not change while a lab lives. */
  #begin({ options, external }: Welcome): void {
    if (this.#labOptions) return;
    this.#labOptions = options;
    this.#view.enforceAs(options.cni);
    this.#tableChanged = true;
    closeWayOut();
    routeToServices();
    routeTo(external);
    this.#enforceSoon();
  }

  /** Once for all changes that have come by then. */
  #enforceSoon(): void {
    if (this.#scheduled || !this.#labOptions || this.#versions.size < FOLLOWED_NAMES.length) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#work = this.#work.then(() => this.#enforce()).catch(this.#options.onFailure);
    });
  }

  async #enforce(): Promise<void> {
    this.#scheduled = false;
    const versions = Object.fromEntries(this.#versions) as Enforced['versions'];
    if (this.#tableChanged) {
      this.#tableChanged = false;
      await this.#swap();
    }
    this.#tell({ kind: 'enforced', versions, open: this.#open, complaints: this.#view.complaints });
  }

  async #swap(): Promise<void> {
    if (!this.#view.self) {
      this.#close();
      return;
    }
    // Two buffers take turns: the gate has let go of the one before the last when a swap has returned.
    const table = this.#view.table.snapshot(this.#spareTable);
    this.#tableVersion += 1;
    this.#reporter.addTable(this.#tableVersion, this.#view.table.cluster);
    const isFirst = this.#plane === undefined;
    if (this.#plane) this.#plane.swap(table);
    else this.#plane = await this.#startPlane(table);
    this.#spareTable = this.#tableInForce;
    this.#tableInForce = table;
    const rules = this.#view.serviceRules;
    const text = JSON.stringify(rules);
    if (text !== this.#servicesInForce) await this.#plane.setServices(rules); // most changes are of policies: they cost no process
    this.#servicesInForce = text;
    if (!this.#open) await this.#reopen(isFirst);
  }

  async #startPlane(table: SharedArrayBuffer): Promise<DataPlane<PodFirewall>> {
    const { firewall, queue, onFailure } = this.#options;
    invariant(this.#labOptions, 'nothing is enforced before it is known how');
    const { deny, established, carry } = this.#labOptions;
    const closing = firewall.prepare(established).then(() => firewall);
    const relay = carry === 'relay' ? await this.#openRelay(established) : undefined;
    return DataPlane.start(
      {
        queue,
        table,
        deny,
        ...(relay ? { relay } : {}),
        onFlows: (records) => this.#link?.tellFlows(this.#reporter.reports(records)),
        onFailure,
      },
      closing,
    );
  }

  async #openRelay(established: LabOptions['established']): Promise<Relay> {
    const { Relay } = await import('../dataplane/relay/relay.ts');
    const { queue } = this.#options;
    const addresses = this.#addresses;
    const onCarried = (flows: readonly CarriedFlow[]): void => this.#link?.tellFlows(this.#reporter.ends(flows));
    return Relay.open({ queue: queue + 1, gateQueue: queue, addresses, established, onCarried });
  }

  async #reopen(isFirst: boolean): Promise<void> {
    if (!isFirst) await this.#plane?.firewall.open(); // the first time the plane has done so
    this.#open = true;
    this.#putReadyFile();
    const [address] = this.#addresses;
    if (this.#readiness || !address || !this.#link) return;
    this.#readiness = PodReadiness.watch({
      address,
      pod: () => this.#view.self,
      shown: this.#options.shown,
      onChange: (containers) => this.#link?.tell({ kind: 'readiness', containers }),
    });
  }

  #putReadyFile(): void {
    const { readyFile } = this.#options;
    mkdirSync(dirname(readyFile), { recursive: true });
    writeFileSync(readyFile, '');
  }

  #close(): void {
    if (this.#view.hasFinished) this.#putReadyFile();
    else rmSync(this.#options.readyFile, { force: true });
    if (!this.#open) return;
    this.#options.firewall.close();
    this.#open = false;
    this.#options.say(`the cluster has no running pod ${this.#options.pod}: nothing passes`);
  }

  #tell(enforced: Enforced): void {
    for (const complaint of enforced.complaints) {
      if (this.#enforced?.complaints.includes(complaint) !== true) {
        this.#options.say(`not understood, so nothing is allowed by it: ${complaint}`);
      }
    }
    this.#enforced = enforced;
    this.#link?.tell(enforced);
  }

  #state(): FromProxy[] {
    const { pod } = this.#options;
    const addresses = this.#addresses.map(({ text }) => text);
    return [
      { kind: 'hello', role: 'pod', name: pod, addresses, startedAt: this.#startedAt },
      ...(this.#readiness ? [{ kind: 'readiness', containers: this.#readiness.current } as const] : []),
      ...(this.#enforced ? [this.#enforced] : []),
    ];
  }
}
