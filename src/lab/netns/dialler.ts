import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { plainSocket } from '../../dataplane/libc.ts';
import type { IpAddress } from '../../net/ip.ts';

/** A connection to try from a network namespace: a descriptor, or undefined for this process's own. */
export interface Dial {
  readonly namespace: number | undefined;
  readonly address: IpAddress;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  readonly timeoutMs: number;
}

/** What came of it: connected (TCP) or answered (UDP), an error by its code such as ECONNREFUSED, or nothing in time. */
export interface DialResult {
  readonly outcome:
    { readonly kind: 'connected' } | { readonly kind: 'error'; readonly code: string } | { readonly kind: 'timeout' };
  /** The port it came from; 0 if none was taken. */
  readonly sourcePort: number;
  readonly ms: number;
}

/** Tries one real connection and closes it. */
export function dial(target: Dial): Promise<DialResult> {
  const started = performance.now();
  const attempt = target.protocol === 'TCP' ? connectTcp(target) : exchangeDatagram(target);
  return attempt.then((result) => ({ ...result, ms: performance.now() - started }));
}

type Attempt = Omit<DialResult, 'ms'>;

function connectTcp({ namespace, address, port, timeoutMs }: Dial): Promise<Attempt> {
  return new Promise((resolve) => {
    const socket = new Socket({ fd: plainSocket({ namespace, type: 'tcp', family: address.family }) });
    let sourcePort = 0;
    const settle = (outcome: DialResult['outcome']): void => {
      cancel();
      resolve({ outcome, sourcePort });
      // A reset leaves neither end in TIME_WAIT: many probes do not use up the pod's ports.
      if (outcome.kind === 'connected') socket.resetAndDestroy();
      else socket.destroy();
    };
    const cancel = afterAnswers(timeoutMs, () => {
      settle({ kind: 'timeout' });
    });
    socket.once('connect', () => {
      settle({ kind: 'connected' });
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      settle({ kind: 'error', code: error.code ?? error.message });
    });
    socket.connect({ host: address.text, port });
    // Node connects in a tick that it has queued before this one; after a failure it no longer knows the port.
    process.nextTick(() => (sourcePort = socket.localPort ?? 0));
  });
}

// A question for the root's name servers, so that a name server answers it as well. Source: RFC 1035 §4.1.
const DATAGRAM = Buffer.from('0000 0100 0001 0000 0000 0000 00 0002 0001'.replaceAll(' ', ''), 'hex');

function exchangeDatagram({ namespace, address, port, timeoutMs }: Dial): Promise<Attempt> {
  return new Promise((resolve) => {
    const socket = createSocket(address.family === 4 ? 'udp4' : 'udp6');
    let sourcePort = 0;
    const settle = (outcome: DialResult['outcome']): void => {
      cancel();
      resolve({ outcome, sourcePort });
      socket.removeAllListeners().on('error', () => undefined);
      socket.close();
    };
    const cancel = afterAnswers(timeoutMs, () => {
      settle({ kind: 'timeout' });
    });
    const failed = (error: NodeJS.ErrnoException): void => {
      settle({ kind: 'error', code: error.code ?? error.message });
    };
    socket.once('error', failed);
    socket.once('message', () => {
      settle({ kind: 'connected' });
    });
    socket.once('listening', () => {
      // Connected, so that the kernel reports an ICMP refusal to this socket.
      socket.connect(port, address.text, () => {
        sourcePort = socket.address().port;
        socket.send(DATAGRAM, (error) => {
          if (error) failed(error);
        });
      });
    });
    socket.bind({ fd: plainSocket({ namespace, type: 'udp', family: address.family }) });
  });
}

/**
 * Calls back when the time is over and what has come by then is read: a process that stood still for longer finds the
 * answers after its timers. @returns what cancels it.
 */
function afterAnswers(ms: number, callback: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    immediate = setImmediate(callback);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}

/**
 * A connection to a port of a network namespace's own loopback, as a kubelet makes for port-forward: IPv4, else IPv6.
 * Either side may end its half alone. Rejects with what to tell the user.
 */
export async function connectInside(namespace: number, port: number): Promise<Socket> {
  const failures: string[] = [];
  for (const [family, host] of [
    [4, '127.0.0.1'],
    [6, '::1'],
  ] as const) {
    const socket = new Socket({ fd: plainSocket({ namespace, type: 'tcp', family }), allowHalfOpen: true });
    try {
      await once(socket.connect({ host, port }), 'connect');
      return socket;
    } catch (error) {
      failures.push(`IPv${family} ${host}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
    }
  }
  throw new Error(`failed to connect to localhost:${port} inside the pod: ${failures.join(', ')}`);
}
