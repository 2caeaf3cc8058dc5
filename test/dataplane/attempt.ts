import dgram from 'node:dgram';
import net from 'node:net';
import { boundSocket, plainSocket } from '../../src/dataplane/libc.ts';
import type { Family, IpAddress } from '../../src/net/ip.ts';
import type { TestPod } from './node-network.ts';

// Longer than any answer on a busy machine takes, shorter than a SYN's first repetition.
const PATIENCE_MS = 600;

/** Where an attempt goes. `sourcePort` and `source` are any unless given. */
export interface Target {
  readonly address: IpAddress;
  readonly port: number;
  readonly sourcePort?: number;
  readonly source?: IpAddress;
  readonly timeoutMs?: number;
}

/** A TCP server in a pod that greets with `name` and then echoes; a `silent` one leaves all that, and the end, to `onConnection`. */
export async function tcpServer(
  pod: TestPod,
  port: number,
  options: { name?: string; onConnection?: (socket: net.Socket) => void; silent?: boolean } = {},
): Promise<AsyncDisposable> {
  const { name = 'hello', onConnection, silent = false } = options;
  const sockets = new Set<net.Socket>();
  const servers = await Promise.all(
    ([4, 6] as const).map(async (family) => {
      const server = net.createServer({ allowHalfOpen: silent }, (socket) => {
        onConnection?.(socket);
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => sockets.delete(socket));
        if (silent) return;
        socket.write(name);
        socket.pipe(socket);
      });
      const fd = boundSocket({ namespace: pod.namespace, type: 'tcp', address: family, port });
      await new Promise<void>((resolve) => server.listen({ fd }, resolve));
      return server;
    }),
  );
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

/** A UDP server in a pod that answers each datagram with `name` and the datagram. */
export function udpServer(
  pod: TestPod,
  port: number,
  options: { name?: string; onMessage?: (message: string) => void } = {},
): Disposable {
  const { name = '', onMessage } = options;
  const servers = ([4, 6] as const).map((family) => {
    const socket = udpSocket(pod, family, port);
    socket.on('message', (message, peer) => {
      onMessage?.(message.toString());
      socket.send(`${name}${message.toString()}`, peer.port, peer.address);
    });
    return socket;
  });
  return {
    [Symbol.dispose]: () => {
      for (const socket of servers) socket.close();
    },
  };
}

/** A TCP socket of a pod, connecting; the caller destroys it. */
export function dial(pod: TestPod, { address, port, sourcePort = 0, source }: Target): net.Socket {
  const { namespace } = pod;
  const { family } = address;
  // A port that is only chosen at connect() need not be free for other destinations.
  const fd =
    sourcePort === 0 && source === undefined
      ? plainSocket({ namespace, type: 'tcp', family })
      : boundSocket({ namespace, type: 'tcp', address: source ?? family, port: sourcePort });
  return new net.Socket({ fd }).connect(port, address.text);
}

/** What a TCP connection met: the server's greeting, an errno's name, or `timeout`. It is reset afterwards, so its port is free. */
export async function tcpAttempt(pod: TestPod, target: Target): Promise<string> {
  const socket = dial(pod, target);
  const outcome = await new Promise<string>((resolve) => {
    socket.once('data', (data) => resolve(data.toString()));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    setTimeout(() => resolve('timeout'), target.timeoutMs ?? PATIENCE_MS);
  });
  socket.on('error', () => undefined);
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
  return outcome;
}

/** What a datagram met: the answer, an errno's name, or `timeout`. */
export async function udpAttempt(pod: TestPod, target: Target, message = 'ping'): Promise<string> {
  const socket = udpSocket(pod, target.address.family, target.sourcePort ?? 0);
  const outcome = await new Promise<string>((resolve) => {
    socket.once('message', (answer) => resolve(answer.toString()));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.connect(target.port, target.address.text, () => socket.send(message));
    setTimeout(() => resolve('timeout'), target.timeoutMs ?? PATIENCE_MS);
  });
  socket.close();
  return outcome;
}

/** A UDP socket of a pod. */
export function udpSocket(pod: TestPod, family: Family, port: number): dgram.Socket {
  const socket = dgram.createSocket(family === 4 ? 'udp4' : 'udp6');
  return socket.bind({ fd: boundSocket({ namespace: pod.namespace, type: 'udp', address: family, port }) });
}
