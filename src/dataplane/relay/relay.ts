import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { LabError } from '../../model/lab-error.ts';
import { toBytes, type Family, type IpAddress } from '../../net/ip.ts';
import { closeFd } from '../libc.ts';
import { takeQueue } from '../nfqueue.ts';
import { RuleLoader } from '../rule-loader.ts';
import { readCarried, type CarriedFlow } from './carried-flow.ts';
import { ClientLookup, openClientLookup } from './client-lookup.ts';
import { Epoll } from '../epoll.ts';
import { openListener } from './listener.ts';
import type { RelayLoopData } from './relay-loop.ts';
import { RELAY_ADDRESS } from './relay-marks.ts';
import { RELAY_ENTRY, relayQueueRules, relayRules } from './relay-rules.ts';

// More than one pod opens at once; what is over that, the kernel carries.
const CONNECTIONS_MAX = 16_384;
// Two a connection, room for pipes, and for the process itself.
const DESCRIPTORS_EACH = 3;
const DESCRIPTORS_KEPT = 1024;

/** What a relay is opened with. */
export interface RelayOptions {
  /** Descriptor of the pod's network namespace; this thread's if not given. */
  readonly namespace?: number;
  /** Number of the relay's own packet queue, and of its gate's. */
  readonly queue: number;
  readonly gateQueue: number;
  /** The pod's addresses, at most one of each family. */
  readonly addresses: readonly IpAddress[];
  /** `strict`: connections that a new table denies are ended at once, with a reset on both sides. */
  readonly established: 'keep' | 'strict';
  /** Receives connections and UDP flows that have ended, soon after. */
  readonly onCarried: (flows: readonly CarriedFlow[]) => void;
}

/**
 * What carries a pod's outgoing connections through this process, to be given to Gate.start, whose thread
 * does the work. Without that thread the pod opens no connection, and those that were open have ended.
 * Incoming connections are left to the kernel: the pod that opened them relays them.
 */
export class Relay {
  /** For the gate's thread; its `carried` port is to be transferred. */
  readonly data: RelayLoopData;
  readonly #reported: Promise<unknown>;

  private constructor(data: RelayLoopData, flows: MessagePort, onCarried: RelayOptions['onCarried']) {
    this.data = data;
    flows.on('message', (batch: ArrayBuffer) => {
      onCarried(readCarried(batch));
    });
    this.#reported = once(flows, 'close'); // with the thread, behind the last batch
  }

  /** Opens the sockets, then lays the way to them. Throws LabError if a tool or the kernel cannot do it. */
  static async open(options: RelayOptions): Promise<Relay> {
    const { namespace, queue, addresses, established, onCarried } = options;
    using stack = new DisposableStack();
    const owned = (fd: number): number => stack.adopt(fd, closeFd);
    const socket = owned(takeQueue(queue, namespace));
    const listeners = addresses.map(({ family }) => ({ family, ...openListener(family, namespace) }));
    for (const { fd } of listeners) owned(fd);
    const clientLookup = owned(openClientLookup(namespace));
    const epoll = owned(new Epoll().fd);
    requireLookup(clientLookup, listeners);
    await layRules(options, listeners);
    const flows = new MessageChannel();
    const fds = new SharedArrayBuffer(connectionsMax() * 2 * Int32Array.BYTES_PER_ELEMENT);
    new Int32Array(fds).fill(-1);
    const data: RelayLoopData = {
      namespace,
      queue,
      socket,
      listeners: listeners.map(({ fd }) => fd),
      clientLookup,
      epoll,
      addresses: addresses.map(({ words }) => Uint8Array.from(toBytes(words))),
      established,
      fds,
      carried: flows.port2,
    };
    stack.move(); // close() closes them from here on
    return new Relay(data, flows.port1, onCarried);
  }

  /** Once the thread has ended: closes what it has left open, and waits for its last records. */
  async close(): Promise<void> {
    const { socket, listeners, clientLookup, epoll, fds } = this.data;
    const connections = new Int32Array(fds);
    for (const fd of connections) if (fd >= 0) closeFd(fd);
    connections.fill(-1);
    for (const fd of [socket, ...listeners, clientLookup, epoll]) closeFd(fd);
    this.data.carried.close(); // in case no thread has taken it
    await this.#reported;
  }
}

/** As many connections as the process may have descriptors for. */
function connectionsMax(): number {
  const limit = Number(/^Max open files +([0-9]+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024);
  return Math.max(16, Math.min(CONNECTIONS_MAX, Math.floor((limit - DESCRIPTORS_KEPT) / DESCRIPTORS_EACH)));
}

interface Listener {
  readonly family: Family;
  readonly port: number;
}

/** The listeners themselves must be found. */
function requireLookup(fd: number, listeners: readonly Listener[]): void {
  const lookup = new ClientLookup(fd);
  if (listeners.every(({ family, port }) => lookup.seesListener(family, port))) return;
  throw new LabError(
    'environment',
    'this kernel does not tell of TCP sockets: the relay needs tcp_diag (modprobe tcp_diag)',
  );
}

async function layRules(options: RelayOptions, listeners: readonly Listener[]): Promise<void> {
  const { namespace, queue, gateQueue, addresses } = options;
  const rules = new RuleLoader(namespace);
  rules.within(() => {
    for (const { family } of listeners) {
      execFileSync('ip', [`-${family}`, 'route', 'replace', 'local', RELAY_ADDRESS[family], 'dev', 'lo'], {
        stdio: 'pipe',
      });
    }
  });
  await rules.nft(relayRules(listeners, addresses));
  await Promise.all(
    listeners.map(async ({ family }) => {
      const joined = {
        output: await rules.hasRule(family, [...RELAY_ENTRY.output, '-t', 'mangle']),
        postrouting: await rules.hasRule(family, [...RELAY_ENTRY.postrouting, '-t', 'mangle']),
      };
      await rules.iptables(family, relayQueueRules({ relay: queue, gate: gateQueue }, joined));
    }),
  );
}
