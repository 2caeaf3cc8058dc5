import { once } from 'node:events';
import { PassThrough, Readable, type Duplex } from 'node:stream';
import type {
  ContainerReference,
  LogRecord,
  LogSelection,
  PodAccess,
  PodCommand,
  PodProcess,
  PodReference,
} from '../../src/apiserver/streams/pod-access.ts';
import { PodStreamServer } from '../../src/apiserver/streams/pod-stream-server.ts';
import { badRequest } from '../../src/apiserver/status.ts';
import { afterEach, beforeEach } from 'vitest';
import { WebSocket } from 'ws';
import { ApiFixture, TOKEN } from './api-fixture.ts';
import { runningPod } from './kubectl-session.ts';

/** A process that does what its test says. */
export class ProcessDouble implements PodProcess {
  readonly command: PodCommand;
  readonly input: PassThrough | undefined;
  readonly output = new PassThrough();
  readonly errors: PassThrough | undefined;
  readonly exitCode: Promise<number>;
  readonly sizes: { columns: number; rows: number }[] = [];
  readonly released: Promise<void>;
  #exit: (code: number) => void = () => undefined;
  #release: () => void = () => undefined;

  constructor(command: PodCommand) {
    this.command = command;
    this.input = command.input ? new PassThrough() : undefined;
    this.errors = command.terminal ? undefined : new PassThrough();
    this.exitCode = new Promise((resolve) => (this.#exit = resolve));
    this.released = new Promise((resolve) => (this.#release = resolve));
  }

  resize(size: { columns: number; rows: number }): void {
    this.sizes.push(size);
  }

  release(): void {
    this.#release();
    this.end(137);
  }

  /** Ends as if by itself. */
  end(code: number): void {
    this.output.end();
    this.errors?.end();
    this.#exit(code);
  }
}

/** Pods whose containers all run but that of the name `done`. */
export class PodAccessDouble implements PodAccess {
  readonly started: ProcessDouble[] = [];
  readonly selections: LogSelection[] = [];
  records: LogRecord[] = [];
  /** What connects to ports of the pods. */
  dial: (port: number) => Promise<Duplex> = (port) => Promise.reject(new Error(`nothing listens on ${port}`));
  readonly #news = new EventTarget();
  readonly #end = new AbortController();

  requireRunning({ container }: ContainerReference): void {
    if (container === 'done') throw badRequest('container done does not run');
  }

  log(_: ContainerReference, selection: LogSelection): AsyncIterable<LogRecord[]> {
    this.selections.push(selection);
    return Readable.from([this.records]);
  }

  attach(): ProcessDouble {
    return this.exec(
      { namespace: 'default', pod: 'web', container: 'main' },
      { command: [], input: true, terminal: false },
    );
  }

  podEnd(): AbortSignal {
    return this.#end.signal;
  }

  endPod(): void {
    this.#end.abort();
  }

  connect(_: PodReference, port: number): Promise<Duplex> {
    return this.dial(port);
  }

  exec(_: ContainerReference, command: PodCommand): ProcessDouble {
    const process = new ProcessDouble(command);
    this.started.push(process);
    this.#news.dispatchEvent(new Event('started'));
    return process;
  }

  /** The first process, once it has been started. */
  async process(): Promise<ProcessDouble> {
    const [first] = this.started;
    if (first) return first;
    await once(this.#news, 'started');
    return this.process();
  }
}

/** A served API whose only pod, default/web, is a double; anew for each test. */
export function useStreams(): { pods: PodAccessDouble; api: ApiFixture } {
  const fixture = {} as { pods: PodAccessDouble; api: ApiFixture };
  beforeEach(async () => {
    fixture.pods = new PodAccessDouble();
    fixture.api = await ApiFixture.start({ streams: new PodStreamServer(fixture.pods) });
    fixture.api.store.system.put(runningPod('default', 'web'));
  });
  afterEach(() => fixture.api[Symbol.asyncDispose]());
  return fixture;
}

/** What a client offers when it opens a stream. */
export interface Offer {
  readonly protocols?: string[];
  readonly headers?: Record<string, string>;
}

/** Opens a stream of a pod. */
export function dialStream(api: ApiFixture, path: string, { protocols, headers = {} }: Offer = {}): WebSocket {
  const address = `${api.server.url.replace('https', 'wss')}${path}`;
  const options = { ca: api.caPem, headers: { authorization: `Bearer ${TOKEN}`, ...headers } };
  return new WebSocket(address, protocols ?? ['v5.channel.k8s.io'], options);
}

const STAND_IN = 'stand-in';

/** Opens a port-forward, whose subprotocol ws does not take for one. */
export function dialPortForward(api: ApiFixture, path: string): WebSocket {
  const protocol = 'SPDY/3.1+portforward.k8s.io';
  const address = `${api.server.url.replace('https', 'wss')}${path}`;
  const socket = new WebSocket(address, [STAND_IN], {
    ca: api.caPem,
    headers: { authorization: `Bearer ${TOKEN}` },
    finishRequest: (request) => request.setHeader('Sec-WebSocket-Protocol', protocol).end(),
  });
  socket.on('upgrade', ({ headers }) => {
    if (headers['sec-websocket-protocol'] === protocol) headers['sec-websocket-protocol'] = STAND_IN;
  });
  return socket;
}
