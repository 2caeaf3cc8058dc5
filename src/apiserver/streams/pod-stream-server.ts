import type { ServerResponse } from 'node:http';
import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { nameOf, namespaceOf } from '../api-object.ts';
import type { PodStreamRequest, PodStreams } from '../http/pod-streams.ts';
import { ApiError, badRequest, methodNotAllowed } from '../status.ts';
import { COMMAND_PROTOCOLS } from './channels.ts';
import { containerIn } from './container-choice.ts';
import { isSet, logRequestOf, logText } from './log-request.ts';
import type { ContainerReference, PodAccess } from './pod-access.ts';
import { serveProcess } from './remote-command.ts';
import { MessageSocket, offeredProtocol, wantsWebSocket } from './web-socket.ts';

/** Serves exec and logs of pods to kubectl and other clients. */
export class PodStreamServer implements PodStreams {
  readonly #access: PodAccess;

  constructor(access: PodAccess) {
    this.#access = access;
  }

  async answer(stream: PodStreamRequest, response: ServerResponse): Promise<void> {
    const { method } = stream.request;
    if (stream.subresource === 'log' && method === 'GET') await this.#answerLog(stream, response);
    else if (stream.subresource === 'log' || (method !== 'GET' && method !== 'POST')) throw methodNotAllowed();
    else throw stream.subresource === 'exec' ? badRequest('Upgrade request required') : notServed(stream);
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
    if (stream.subresource !== 'exec') throw notServed(stream);
    const { request, query } = stream;
    const target = targetOf(stream);
    const { stdin, stdout, stderr, terminal } = wishesIn(query);
    if (!stdin && !stdout && !stderr) throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
    const command = query.getAll('command');
    if (command.length === 0) throw badRequest('you must specify a command');
    this.#access.requireRunning(target);
    const protocol = protocolOf(stream, COMMAND_PROTOCOLS);
    const messages = await MessageSocket.accept({ request, socket, head }, protocol);
    const start = () => this.#access.exec(target, { command, input: stdin, terminal });
    await serveProcess(messages, start, { stdout, stderr });
  }
}

function targetOf({ podObject, query }: PodStreamRequest): ContainerReference {
  const container = containerIn(podObject, query.get('container') ?? '');
  return { namespace: namespaceOf(podObject), pod: nameOf(podObject), container };
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

function notServed({ subresource }: PodStreamRequest): ApiError {
  return new ApiError({ code: 501, reason: 'NotImplemented', message: `a lab does not serve ${subresource} of pods` });
}
