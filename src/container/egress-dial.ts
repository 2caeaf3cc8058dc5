import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import type { EgressAnswer, EgressQuestion } from '../lab/egress-question.ts';
import { askForEgress, type EgressPermission } from './egress-permission.ts';

/** Why a gateway does not serve a request, as HTTP says it. `error` is a word of RFC 9209 §2.3. */
export class EgressRefusal extends Error {
  readonly status: 403 | 502 | 503 | 504;
  readonly error: string;

  constructor(status: EgressRefusal['status'], error: string, message: string) {
    super(message);
    this.name = 'EgressRefusal';
    this.status = status;
    this.error = error;
  }
}

type Destination = Extract<EgressAnswer, { kind: 'allowed' }>;

/** A way out that a client asks for. `host` is a name or an address. */
export interface EgressRoute extends Pick<EgressQuestion, 'gateway' | 'client' | 'clientPort' | 'port'> {
  readonly host: string;
  readonly controlSocket: string;
  /** Aborts when the client has gone. */
  readonly gone: AbortSignal;
  /** Whether either side may end first. */
  readonly allowHalfOpen: boolean;
}

const NAME_MS = 5_000; // as long as a resolver waits for one server by default
const ANSWER_MS = 5_000;
// For all of a name's addresses: for one, the first SYN and its repetitions after one and three seconds.
const CONNECT_MS = 4_000;
const LEAST_CONNECT_MS = 1_500; // of one of many: the first SYN and a repetition

/**
 * Resolves the name by the pod's own resolver, asks the lab about each address, and dials the first that it allows and
 * that answers. The socket is destroyed when the lab revokes what it allowed.
 * Throws EgressRefusal, or the reason of `gone`.
 */
export async function dialOut(route: EgressRoute): Promise<Socket> {
  const refusals: EgressRefusal[] = [];
  const failures: EgressRefusal[] = [];
  const addresses = await addressesOf(route.host);
  const connectMs = Math.max(LEAST_CONNECT_MS, CONNECT_MS / addresses.length);
  for (const destination of addresses) {
    const { answer, ...permission } = await permissionFor(route, destination);
    if (answer.kind !== 'allowed') {
      refusals.push(refusalOf(answer));
      continue;
    }
    try {
      const socket = tied(await dial(answer, { ...route, connectMs }), permission);
      if (!route.gone.aborted) return socket;
      socket.destroy();
      route.gone.throwIfAborted();
    } catch (error) {
      permission.release();
      route.gone.throwIfAborted();
      failures.push(failureOf(error, answer));
    }
  }
  throw [...failures, ...refusals][0] ?? new EgressRefusal(502, 'dns_error', `${route.host} has no address`);
}

async function addressesOf(host: string): Promise<string[]> {
  const late = AbortSignal.timeout(NAME_MS);
  const overdue = new Promise<never>((_, reject) => {
    late.addEventListener('abort', () => {
      reject(new EgressRefusal(504, 'dns_timeout', `${host}: no name server has answered`));
    });
  });
  try {
    const found = await Promise.race([lookup(host, { all: true, order: 'verbatim' }), overdue]);
    return found.map(({ address }) => address);
  } catch (error) {
    if (error instanceof EgressRefusal) throw error;
    if ((error as NodeJS.ErrnoException).code === 'EAI_AGAIN')
      throw new EgressRefusal(504, 'dns_timeout', `${host}: no name server has answered`);
    throw new EgressRefusal(502, 'dns_error', `${host}: there is no such name`);
  }
}

async function permissionFor(
  { controlSocket, gateway, client, clientPort, port }: EgressRoute,
  destination: string,
): Promise<EgressPermission> {
  try {
    const question = { gateway, client, clientPort, destination, port };
    return await askForEgress(controlSocket, question, AbortSignal.timeout(ANSWER_MS));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `the lab cannot be asked what policies allow, so nothing is: ${why}`;
    throw new EgressRefusal(503, 'proxy_internal_error', message);
  }
}

function dial(
  { address, port }: Destination,
  { gone, allowHalfOpen, connectMs }: EgressRoute & { readonly connectMs: number },
): Promise<Socket> {
  const ended = AbortSignal.any([gone, AbortSignal.timeout(connectMs)]);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen });
    const giveUp = (): void => void socket.destroy(ended.reason as Error);
    ended.addEventListener('abort', giveUp);
    socket.once('error', reject).once('connect', () => {
      ended.removeEventListener('abort', giveUp);
      resolve(socket);
    });
  });
}

/** The socket, which lives no longer than the permission, nor the permission than it. */
function tied(socket: Socket, { revoked, release }: Omit<EgressPermission, 'answer'>): Socket {
  socket.on('error', () => undefined); // whoever uses it sees its end
  socket.once('close', release);
  const end = (): void => void socket.destroy();
  if (revoked.aborted) end();
  else revoked.addEventListener('abort', end);
  return socket;
}

function refusalOf({ kind, reason }: Exclude<EgressAnswer, { kind: 'allowed' }>): EgressRefusal {
  return kind === 'denied'
    ? new EgressRefusal(403, 'http_request_denied', reason)
    : new EgressRefusal(502, 'destination_unavailable', reason);
}

function failureOf(error: unknown, { address, port }: Destination): EgressRefusal {
  const place = `${address} port ${port}`;
  const { code, name } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError' || code === 'ETIMEDOUT') {
    const hint = "policies of the gateway's own pod may deny it";
    return new EgressRefusal(504, 'connection_timeout', `${place} has not answered: ${hint}`);
  }
  if (code === 'ECONNREFUSED') return new EgressRefusal(502, 'connection_refused', `${place} refuses the connection`);
  return new EgressRefusal(502, 'destination_ip_unroutable', `${place} cannot be reached: ${code ?? String(error)}`);
}
