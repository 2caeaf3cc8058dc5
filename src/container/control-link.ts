import { connect, type Socket } from 'node:net';
import { linesOf } from '../kube/lines.ts';
import type { FromProxy, JudgedFlow, ToProxy } from './messages.ts';

/** What a link tells of itself. */
export interface LinkListener {
  /** Everything that the control plane has to know of the pod now; asked for at each connection. */
  state(): readonly FromProxy[];
  heard(message: ToProxy): void;
}

const MAX_MESSAGE_BYTES = 1024 * 1024;
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1_000;
const FLOWS_KEPT = 10_000; // while the control plane is away or slow
const FLOWS_AT_ONCE = 256;

/**
 * A proxy's connection to the control plane, made again whenever it breaks. What tells of the pod's state is sent anew
 * then; flows wait, some thousands of them, and are counted when there is no room.
 */
export class ControlLink {
  readonly #path: string;
  readonly #listener: LinkListener;
  #socket: Socket | undefined;
  #stopped = false;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #flows: JudgedFlow[] = [];
  #dropped = 0;

  private constructor(path: string, listener: LinkListener) {
    this.#path = path;
    this.#listener = listener;
  }

  /** Begins to connect to that Unix socket. */
  static open(path: string, listener: LinkListener): ControlLink {
    const link = new ControlLink(path, listener);
    link.#connect();
    return link;
  }

  /** Tells the control plane, if it is there; if not, it learns of it by state(). */
  tell(message: FromProxy): void {
    if (this.#socket?.readyState === 'open') this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Tells of flows, now or later. */
  tellFlows(flows: readonly JudgedFlow[]): void {
    const room = Math.max(0, FLOWS_KEPT - this.#flows.length);
    this.#flows.push(...flows.slice(0, room));
    this.#dropped += Math.max(0, flows.length - room);
    this.#sendFlows();
  }

  close(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #connect(): void {
    const socket = connect(this.#path);
    this.#socket = socket;
    socket.on('error', () => undefined); // 'close' follows
    socket.on('connect', () => {
      for (const message of this.#listener.state()) this.tell(message);
      void this.#listen(socket);
      this.#sendFlows();
    });
    socket.on('drain', () => {
      this.#sendFlows();
    });
    socket.on('close', () => {
      if (this.#stopped) return;
      this.#timer = setTimeout(() => {
        this.#connect();
      }, this.#pauseMs);
      this.#pauseMs = Math.min(MAX_PAUSE_MS, this.#pauseMs * 2);
    });
  }

  async #listen(socket: Socket): Promise<void> {
    try {
      for await (const line of linesOf(socket, MAX_MESSAGE_BYTES)) {
        this.#pauseMs = FIRST_PAUSE_MS;
        this.#listener.heard(JSON.parse(line) as ToProxy);
      }
    } catch {
      // It broke off, or speaks another language: 'close' follows, and another try.
    }
    socket.destroy();
  }

  #sendFlows(): void {
    const socket = this.#socket;
    while (this.#flows.length > 0 && socket?.readyState === 'open' && !socket.writableNeedDrain) {
      const flows = this.#flows.splice(0, FLOWS_AT_ONCE);
      this.tell({ kind: 'flows', flows, dropped: this.#dropped });
      this.#dropped = 0;
    }
  }
}
