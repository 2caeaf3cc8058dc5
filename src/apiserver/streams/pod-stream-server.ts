import type { ServerResponse } from 'node:http';
import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { nameOf, namespaceOf, type ApiObject } from '../api-object.ts';
import type { PodStreamRequest, PodStreams } from '../http/pod-streams.ts';
import { badRequest, methodNotAllowed } from '../status.ts';
import { COMMAND_PROTOCOLS } from './channels.ts';
import { containerIn } from './container-choice.ts';
import { isSet, logRequestOf, logText } from './log-request.ts';
import type { ContainerReference, PodAccess, PodProcess, PodReference } from './pod-access.ts';
import { PORT_FORWARD_PROTOCOL, servePortForward } from './port-forward.ts';
import { serveProcess } from './remote-command.ts';
import { CLOSE, MessageSocket, offeredProtocol, wantsWebSocket, type Upgrade } from './web-socket.ts';

/** Serves exec, attach, logs and port-forward of pods to kubectl and other clients. */
export class PodStreamServer implements PodStreams {
  readonly #access: PodAccess;

  constructor(access: PodAccess) {
    this.#access = access;
  }

  async answer(stream: PodStreamRequest, response: ServerResponse): Promise<void> {
    const { method } = stream.request;
    if (stream.subresource === 'log' && method === 'GET') await this.#answerLog(stream, response);
    else if (stream.subresource === 'log' || (method !== 'GET' && method !== 'POST')) throw methodNotAllowed();
    else throw badRequest('Upgrade request required');
  }

  /** Sends a log as its client takes it. */
  async #answerLog(stream: PodStreamRequest, response: ServerResponse): Promise<void> {
    const wanted = logRequestOf(stream.query, nameOf(stream.podObject), new Date());
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const records = this.#access.log(targetOf(stream), { ...wanted, signal: gone.signal });
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.flushHeaders();
    // A client that leaves is no failure, and after the head there is no way to tell of one.
    await pipeline(Readable.from(logText(records, wanted)), response).catch(() => response.destroy());
  }

  async upgrade(stream: PodStreamRequest, socket: Duplex, head: Buffer): Promise<void> {
    const upgrade = { request: stream.request, socket, head };
    switch (stream.subresource) {
      case 'exec':
      case 'attach':
        await this.#runProcess(stream, upgrade);
        break;
      case 'portforward':
        await this.#forward(stream, upgrade);
        break;
      case 'log':
        throw badRequest('a log is asked for without an upgrade');
    }
  }

  async #runProcess(stream: PodStreamRequest, upgrade: Upgrade): Promise<void> {
    const target = targetOf(stream);
    const { stdin, stdout, stderr, terminal } = wishesIn(stream.query);
    if (!stdin && !stdout && !stderr) throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
    const command = stream.query.getAll('command');
    if (stream.subresource === 'exec' && command.length === 0) throw badRequest('you must specify a command');
    this.#access.requireRunning(target);
    const messages = await MessageSocket.accept(upgrade, protocolOf(stream, COMMAND_PROTOCOLS));
    const start = (): PodProcess =>
      stream.subresource === 'exec'
        ? this.#access.exec(target, { command, input: stdin, terminal })
        : this.#access.attach(target);
    await serveProcess(messages, start, { stdin, stdout, stderr });
  }

  async #forward(stream: PodStreamRequest, upgrade: Upgrade): Promise<void> {
    const pod = referenceTo(stream.podObject);
    const end = this.#access.podEnd(pod);
    const messages = await MessageSocket.accept(upgrade, protocolOf(stream, [PORT_FORWARD_PROTOCOL]));
    const close = (): void => messages.close(CLOSE.normal, 'the pod has ended');
    end.addEventListener('abort', close, { signal: messages.closed });
    if (end.aborted) close();
    await servePortForward(messages, (port) => this.#access.connect(pod, port));
  }
}

function targetOf({ podObject, query }: PodStreamRequest): ContainerReference {
  const container = containerIn(podObject, query.get('container') ?? '');
  return { ...referenceTo(podObject), container };
}

function referenceTo(podObject: ApiObject): PodReference {
  return { namespace: namespaceOf(podObject), pod: nameOf(podObject) };
}

/** The subprotocol to speak. Throws a 400 that says which are known here. */
function protocolOf<T extends string>({ request, subresource }: PodStreamRequest, known: readonly T[]): T {
  if (!wantsWebSocket(request)) {
    throw badRequest(
      `${subresource} is served over WebSocket, not over ${request.headers.upgrade ?? 'HTTP'}: use kubectl 1.31 or newer`,
    );
  }
  const protocol = offeredProtocol(request, known);
  if (protocol === undefined) throw badRequest(`${subresource} is served by the subprotocols ${known.join(', ')}`);
  return protocol;
}

function wishesIn(query: URLSearchParams): { stdin: boolean; stdout: boolean; stderr: boolean; terminal: boolean } {
  const [stdin = false, stdout = false, stderr = false, terminal = false] = ['stdin', 'stdout', 'stderr', 'tty'].map(
    (name) => isSet(query, name),
  );
  return { stdin, stdout, stderr, terminal };
}
