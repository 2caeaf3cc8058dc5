import { once } from 'node:events';
import { extname } from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { openTable, type Decider } from '../table/decider.ts';
import { DENY_MARK } from './firewall.ts';
import { readFlows, type FlowRecord } from './flow-record.ts';
import { GateControl } from './gate-control.ts';
import type { GateLoopData, NextTable } from './gate-loop.ts';
import { MarkerSender } from './gate-marker.ts';
import { closeFd } from './libc.ts';
import { takeQueue, unbindQueue } from './nfqueue.ts';
import type { Relay } from './relay/relay.ts';

/** What a gate is started with. */
export interface GateOptions {
  /** Descriptor of the network namespace whose queue it serves; this thread's if not given. */
  readonly namespace?: number;
  readonly queue: number;
  /** The first table: before it is in force every packet is dropped. */
  readonly table: SharedArrayBuffer;
  readonly deny: 'drop' | 'reject';
  /** Receives what was judged, soon after; packets that are sent again are judged again but not reported. */
  readonly onFlows: (flows: readonly FlowRecord[]) => void;
  /** Called if the gate's thread ends unasked. Nothing passes from then on. */
  readonly onFailure: (error: Error) => void;
  /** What carries outgoing connections, for a pod's gate; the kernel if not given. The gate closes it. */
  readonly relay?: Relay;
}

// A batch of verdicts takes far less; this long means that the gate's thread hangs.
const SWAP_TIMEOUT_MS = 2000;
const DRAIN_TIMEOUT_MS = 500;
const DRAIN_STEP_MS = 20;

/**
 * Judges every packet that the kernel queues, in a thread of its own, against the newest table.
 * Fail closed: without a live gate, before its first table and on overload the kernel drops.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #socket: number;
  readonly #worker: Worker;
  readonly #tables: MessagePort;
  readonly #flows: MessagePort;
  readonly #control: GateControl;
  readonly #markers: MarkerSender;
  readonly #exited: Promise<unknown>;
  #version = 1;
  #state: 'starting' | 'running' | 'stopping' | 'ended' = 'starting';
  #failure: Error | undefined;

  private constructor(options: GateOptions, socket: number) {
    const { queue, deny, table, onFlows, relay } = options;
    const tables = new MessageChannel();
    const flows = new MessageChannel();
    this.#options = options;
    this.#socket = socket;
    this.#markers = new MarkerSender(options.namespace);
    this.#tables = tables.port1;
    this.#flows = flows.port1;
    this.#control = new GateControl();
    this.#control.publish(this.#version);
    const data: GateLoopData = {
      socket,
      queue,
      denyMark: deny === 'reject' ? DENY_MARK : 0,
      control: this.#control.buffer,
      table,
      tables: tables.port2,
      flows: flows.port2,
    };
    // The worker's file ends as this one does: .ts as written, .js once compiled.
    const worker = relay ? './relay/relay-worker' : './gate-worker';
    const workerData = relay ? { gate: data, relay: relay.data } : data;
    const ports = [tables.port2, flows.port2, ...(relay ? [relay.data.carried] : [])];
    const file = new URL(`${worker}${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(file, {
      workerData,
      transferList: ports,
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    flows.port1.on('message', (batch: ArrayBuffer) => {
      onFlows(readFlows(batch));
    });
    this.#worker.on('error', (error: unknown) => {
      this.#failure = error instanceof Error ? error : new Error(String(error));
    });
    // The port closes with the thread, behind the last batch.
    const reported = once(flows.port1, 'close');
    const exited = new Promise<void>((resolve) =>
      this.#worker.once('exit', () => {
        resolve(this.#ended());
      }),
    );
    this.#exited = Promise.all([exited, reported]);
  }

  /**
   * Takes the queue and begins to judge. Throws TableFormatError for a bad table, LabError if the
   * kernel does not let this process have the queue.
   */
  static async start(options: GateOptions): Promise<Gate> {
    const gate = await Gate.#taken(options);
    await once(gate.#worker, 'message'); // it says so when it is ready; an error on the way is thrown
    gate.#state = 'running';
    return gate;
  }

  static async #taken(options: GateOptions): Promise<Gate> {
    try {
      openTable(options.table);
      return new Gate(options, takeQueue(options.queue, options.namespace));
    } catch (error) {
      await options.relay?.close();
      throw error;
    }
  }

  /**
   * Puts another table in force. What was queued before the call is judged by the old table, what is
   * queued after its return by this one, and what the old one accepted has left the node's chains by then.
   * @returns the table, opened. Throws TableFormatError, the old table staying in force.
   * Cost: some 10 µs, and the rest of a batch if one is being judged.
   */
  swap(table: SharedArrayBuffer): Decider {
    const decider = openTable(table);
    this.#drain();
    this.#version += 1;
    const next: NextTable = { version: this.#version, table };
    this.#tables.postMessage(next);
    this.#control.publish(this.#version);
    if (!this.#control.awaitQuiet(this.#version, SWAP_TIMEOUT_MS)) {
      throw new Error(`the gate did not take the new table within ${SWAP_TIMEOUT_MS} ms`);
    }
    // With the batch of a second marker at the latest the relay has ended what the new table denies.
    if (this.#options.relay) this.#drain();
    return decider;
  }

  /** Waits until what the kernel has queued so far is judged, by the table that was in force when it was sent. */
  #drain(): void {
    if (this.#state !== 'running') return;
    const deadline = performance.now() + DRAIN_TIMEOUT_MS;
    do {
      const marker = this.#markers.send();
      if (marker === undefined || this.#control.awaitMarker(marker, DRAIN_STEP_MS)) return;
    } while (performance.now() < deadline); // a full queue drops markers as well
  }

  /** Hands every flow to `onFlows` that was queued before the call. Cost: some 10 µs, and the rest of a batch if one is being judged. */
  flush(): void {
    this.#drain();
    for (;;) {
      const received = receiveMessageOnPort(this.#flows) as { message: ArrayBuffer } | undefined;
      if (received === undefined) return;
      this.#options.onFlows(readFlows(received.message));
    }
  }

  /** Ends the gate; nothing passes from then on. Takes a few milliseconds, 200 at most. */
  async stop(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'stopping';
      this.#control.stop();
      unbindQueue(this.#socket, this.#options.queue);
    }
    await this.#exited;
  }

  /** The thread is gone: closing its socket makes the kernel drop what waits for a verdict. */
  async #ended(): Promise<void> {
    const unasked = this.#state === 'running';
    this.#state = 'ended';
    this.#control.rest();
    this.#tables.close();
    closeFd(this.#socket);
    this.#markers.close();
    await this.#options.relay?.close();
    if (unasked) this.#options.onFailure(this.#failure ?? new Error('the gate ended unexpectedly'));
  }
}
