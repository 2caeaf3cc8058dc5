import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiStore } from '../../src/apiserver/api-store.ts';
import { ApiServer } from '../../src/apiserver/http/api-server.ts';
import { FOLLOWED, type FollowedName } from '../../src/container/followed.ts';
import { API_SOCKET, PROXY_SOCKET, type JudgedFlow } from '../../src/container/messages.ts';
import { ProxyFleet, versionsOf, type LiveProxy } from '../../src/container/proxy-fleet.ts';
import { DEFAULT_OPTIONS, type LabOptions } from '../../src/lab/lab-client.ts';
import type { JsonObject } from '../../src/manifest/json.ts';
import { inNamespace } from '../../src/dataplane/libc.ts';
import { BridgeNetwork, GATEWAY } from '../dataplane/bridge-network.ts';
import type { TestPod } from '../dataplane/node-network.ts';
import { given } from '../builders/given.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/netpol-lab.ts', import.meta.url));
const SUPERVISE = fileURLToPath(new URL('../../src/container/supervise.sh', import.meta.url));

/** A command that has this capability and no other, as in a container. */
function withOnlyNetAdmin(command: readonly string[]): readonly [string, ...string[]] {
  return [
    'setpriv',
    '--bounding-set=-all,+net_admin',
    '--inh-caps=-all,+net_admin',
    '--no-new-privs',
    '--',
    ...command,
  ];
}

/** Pods on a bridge, each with a real proxy process beside it, and a control plane in this process. */
export class ProxyFixture implements AsyncDisposable {
  readonly network = new BridgeNetwork();
  readonly folder = mkdtempSync(join(tmpdir(), 'netpol-lab-run-'));
  readonly store: ApiStore;
  readonly flows: JudgedFlow[] = [];
  readonly proxies = new Map<string, ChildProcess>();
  readonly said: string[] = [];
  readonly #options: LabOptions;
  #server: ApiServer | undefined;
  #fleet: ProxyFleet | undefined;
  #notice: (() => void)[] = [];

  private constructor(store: ApiStore, options: LabOptions) {
    this.store = store;
    this.#options = options;
  }

  static async start(options: Partial<LabOptions> = {}): Promise<ProxyFixture> {
    const fixture = new ProxyFixture(await ApiStore.open(), { ...DEFAULT_OPTIONS, ...options });
    fixture.store.system.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } });
    await fixture.startControl();
    return fixture;
  }

  async startControl(): Promise<void> {
    this.#server = await ApiServer.start({ store: this.store, path: join(this.folder, API_SOCKET) });
    const welcome = { kind: 'welcome', options: this.#options, external: [] } as const;
    this.#fleet = await ProxyFleet.listen(join(this.folder, PROXY_SOCKET), welcome, {
      changed: () => {
        this.#tell();
      },
      judged: (flows) => {
        this.flows.push(...flows);
        this.#tell();
      },
    });
  }

  async stopControl(): Promise<void> {
    await this.#server?.close();
    await this.#fleet?.[Symbol.asyncDispose]();
  }

  get fleet(): ProxyFleet {
    return given(this.#fleet, 'the control plane runs');
  }

  /** A pod `x/pNUMBER` labelled `app: pNUMBER`, with its object and its proxy; ready when the proxy passes what it allows. */
  async pod(number: number): Promise<TestPod> {
    const pod = this.network.attach(number);
    this.putPod(number);
    this.startProxy(number, pod);
    await this.until(number, ({ enforced }) => enforced?.open === true);
    return pod;
  }

  putPod(number: number, labels: Readonly<Record<string, string>> = { app: `p${number}` }): void {
    const hostIPs = [GATEWAY[4], GATEWAY[6]].map(({ text }) => ({ ip: text }));
    const podIPs = [{ ip: `10.244.0.${number}` }, { ip: `fd00:10:244::${number}` }];
    this.put('pods', `p${number}`, {
      metadata: { labels },
      spec: { containers: [{ name: 'main', image: 'idle' }] },
      status: { phase: 'Running', hostIPs, podIPs },
    });
  }

  startProxy(number: number, pod: TestPod): ChildProcess {
    const name = `x/p${number}`;
    const ready = join(this.folder, `p${number}`, 'ready');
    const args = ['--pod', name, '--run', this.folder, '--ready-file', ready];
    const [program, ...rest] = withOnlyNetAdmin([
      'sh',
      SUPERVISE,
      process.execPath,
      PROGRAM,
      'container',
      'proxy',
      ...args,
    ]);
    const child = inNamespace(pod.namespace, () => spawn(program, rest, { stdio: ['ignore', 'inherit', 'pipe'] }));
    child.stderr.on('data', (text: Buffer) => this.said.push(text.toString()));
    this.proxies.set(name, child);
    return child;
  }

  /** Waits until the proxy of that pod is as told. */
  async until(number: number, isSo: (proxy: LiveProxy) => boolean): Promise<void> {
    for (;;) {
      const proxy = this.fleet.get(`x/p${number}`);
      if (proxy && isSo(proxy)) return;
      await this.news();
    }
  }

  /** Waits for the next word of a proxy. */
  news(): Promise<void> {
    return new Promise((resolve) => this.#notice.push(resolve));
  }

  /** Puts an object into namespace x, without waiting. */
  put(resource: FollowedName, name: string, object: JsonObject): void {
    const { apiVersion, kind } = FOLLOWED[resource];
    const metadata = { ...(object.metadata as JsonObject | undefined), name, namespace: 'x' };
    this.store.system.put({ apiVersion, kind, ...object, metadata });
  }

  /** Puts a policy in force in every pod. */
  async apply(name: string, spec: JsonObject): Promise<void> {
    this.put('networkpolicies', name, { spec });
    await this.enforced();
  }

  async delete(name: string): Promise<void> {
    const { apiVersion, kind } = FOLLOWED.networkpolicies;
    this.store.system.remove({ apiVersion, kind, namespace: 'x', name });
    await this.enforced();
  }

  /** Waits until what the store has is in force in every pod. */
  async enforced(): Promise<void> {
    const lagging = await this.fleet.enforced(versionsOf(this.store.objects));
    if (lagging.length > 0) throw new Error(`not enforced in ${lagging.join(' ')}: ${this.said.join('')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.proxies.values()].map(async (child) => {
        const ended = once(child, 'close');
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill();
        await ended;
      }),
    );
    await this.stopControl();
    this.network[Symbol.dispose]();
    rmSync(this.folder, { recursive: true });
  }

  #tell(): void {
    for (const resume of this.#notice.splice(0)) resume();
  }
}
