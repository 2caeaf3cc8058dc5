import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectStore } from '../apiserver/object-store.ts';
import { servedKind } from '../apiserver/registry.ts';
import { linesOf } from '../kube/lines.ts';
import type { DialResult } from '../lab/netns/dialler.ts';
import { LabError } from '../model/lab-error.ts';
import { FOLLOWED, FOLLOWED_NAMES, type FollowedName } from './followed.ts';
import type { Enforced, FromProxy, JudgedFlow, ProbeOrder, ToProxy, Welcome } from './messages.ts';
import { parseMessage } from './message-schema.ts';
import type { Readiness } from './pod-readiness.ts';

/** A proxy that is connected, by what it has said. */
export interface LiveProxy {
  /** A host outside the cluster enforces nothing. */
  readonly role: 'pod' | 'external';
  readonly addresses: readonly string[];
  readonly startedAt: string;
  readonly enforced: Enforced | undefined;
  readonly readiness: Readiness;
}

/** Who hears of proxies. */
export interface FleetListener {
  /** A pod's proxy has come, gone, or said something new of its pod. */
  changed(pod: string): void;
  /** What a pod's proxy has judged. `dropped` of them it could not keep. */
  judged(flows: readonly JudgedFlow[], dropped: number): void;
}

/** The least versions of resources that are to be in force. */
export type Wanted = Readonly<Record<FollowedName, number>>;

/** The versions at which a store's resources are now. */
export function versionsOf(store: ObjectStore): Wanted {
  const versions = FOLLOWED_NAMES.map((name) => {
    const { apiVersion, kind } = FOLLOWED[name];
    return [name, store.changedAt(servedKind(apiVersion, kind))];
  });
  return Object.fromEntries(versions) as Wanted;
}

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
// A change waits so long for a proxy that hangs.
const ENFORCE_TIMEOUT_MS = 5_000;
// Proxies that outlived an earlier control plane are back by then; see ControlLink.
const RETURN_MS = 1_500;
const PROBE_GRACE_MS = 5_000;

/** The proxies of a lab, on a Unix socket: one connection each, for as long as it lives. */
export class ProxyFleet implements AsyncDisposable {
  readonly #server: Server;
  readonly #welcome: Welcome;
  readonly #listener: FleetListener;
  readonly #returned = delay(RETURN_MS, undefined, { ref: false });
  readonly #sockets = new Set<Socket>();
  readonly #peers = new Map<string, { proxy: LiveProxy; socket: Socket }>();
  readonly #probes = new Map<number, (result: DialResult) => void>();
  #waiting: (() => void)[] = [];
  #lastProbe = 0;

  private constructor(welcome: Welcome, listener: FleetListener) {
    this.#welcome = welcome;
    this.#listener = listener;
    this.#server = createServer((socket) => void this.#serve(socket));
  }

  /** Listens at the path, which everyone may open who may enter its folder. */
  static async listen(path: string, welcome: Welcome, listener: FleetListener): Promise<ProxyFleet> {
    const fleet = new ProxyFleet(welcome, listener);
    rmSync(path, { force: true }); // of an earlier control plane
    fleet.#server.listen(path);
    await once(fleet.#server, 'listening');
    chmodSync(path, 0o666);
    return fleet;
  }

  /** The proxy of a pod, NAMESPACE/NAME, or of a host outside. @returns undefined if none is connected. */
  get(name: string): LiveProxy | undefined {
    return this.#peers.get(name)?.proxy;
  }

  /**
   * Waits until every live proxy enforces these versions. A proxy that dies meanwhile passes nothing until it has
   * listed anew. @returns the pods whose proxies do not after five seconds.
   */
  async enforced(wanted: Wanted): Promise<string[]> {
    await this.#returned;
    const deadline = performance.now() + ENFORCE_TIMEOUT_MS;
    for (;;) {
      const lagging = [...this.#peers].filter(([, { proxy }]) => lags(proxy, wanted)).map(([name]) => name);
      const left = deadline - performance.now();
      if (lagging.length === 0 || left <= 0) return lagging;
      await this.#news(left);
    }
  }

  /** Tries a connection from a pod or host. @throws LabError if it has no proxy. */
  async probe(name: string, order: Omit<ProbeOrder, 'kind' | 'id'>): Promise<DialResult> {
    const socket = this.#peers.get(name)?.socket;
    if (!socket) throw new LabError('usage', `no connection can be tried from ${name}: its proxy does not answer`);
    const id = (this.#lastProbe += 1);
    const answered = new Promise<DialResult>((resolve) => this.#probes.set(id, resolve));
    const late = delay(order.timeoutMs + PROBE_GRACE_MS, undefined, { ref: false });
    try {
      send(socket, { kind: 'probe', id, ...order });
      const result = await Promise.race([answered, late]);
      if (!result) throw new LabError('environment', `the proxy of ${name} has not answered`);
      return result;
    } finally {
      this.#probes.delete(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.on('error', () => undefined); // it has gone: the lines end
    send(socket, this.#welcome);
    let name = '';
    try {
      for await (const line of linesOf(socket, MAX_MESSAGE_BYTES)) {
        const message = parseMessage(line);
        if (message.kind === 'hello') name = message.name;
        this.#hear(name, socket, message);
      }
    } catch {
      // It broke off, or speaks another language.
    }
    socket.destroy();
    this.#sockets.delete(socket);
    if (this.#peers.get(name)?.socket !== socket) return;
    this.#peers.delete(name);
    this.#tell(name);
  }

  #hear(name: string, socket: Socket, message: FromProxy): void {
    const proxy = this.#peers.get(name)?.proxy;
    switch (message.kind) {
      case 'hello': {
        const { addresses, startedAt, role } = message;
        this.#peers.set(name, { socket, proxy: { role, addresses, startedAt, enforced: undefined, readiness: [] } });
        break;
      }
      case 'flows':
        this.#listener.judged(message.flows, message.dropped);
        return;
      case 'probed':
        this.#probes.get(message.id)?.(message.result);
        return;
      case 'enforced':
        if (proxy) this.#peers.set(name, { socket, proxy: { ...proxy, enforced: message } });
        break;
      case 'readiness':
        if (proxy) this.#peers.set(name, { socket, proxy: { ...proxy, readiness: message.containers } });
    }
    this.#tell(name);
  }

  #tell(name: string): void {
    for (const resume of this.#waiting.splice(0)) resume();
    this.#listener.changed(name);
  }

  /** Resolves at the next word of a proxy, or after that time. */
  async #news(timeoutMs: number): Promise<void> {
    const heard = new Promise<void>((resolve) => this.#waiting.push(resolve));
    await Promise.race([heard, delay(timeoutMs, undefined, { ref: false })]);
  }
}

function lags({ role, enforced }: LiveProxy, wanted: Wanted): boolean {
  return role === 'pod' && FOLLOWED_NAMES.some((name) => !(Number(enforced?.versions[name]) >= wanted[name]));
}

function send(socket: Socket, message: ToProxy): void {
  socket.write(`${JSON.stringify(message)}\n`);
}
