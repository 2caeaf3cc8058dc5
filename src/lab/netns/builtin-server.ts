import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { boundSocket } from '../../dataplane/libc.ts';
import type { Family } from '../../net/ip.ts';

/** Who a built-in server says it is: the lines of its answer but for the client's. */
export type Identity = readonly (readonly [name: string, value: string])[];

/** Where a built-in server listens: any address of the families, in a network namespace (a descriptor). */
export interface ServerPlace {
  readonly namespace: number;
  readonly families: readonly Family[];
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
}

/**
 * The server of a container that brings none: says which pod it is and whom it sees.
 * TCP: HTTP/1.1, the same answer to every request. UDP: the same as a datagram, to every datagram.
 */
export class BuiltinServer implements AsyncDisposable {
  readonly #servers: readonly (Server | UdpSocket)[];

  private constructor(servers: readonly (Server | UdpSocket)[]) {
    this.#servers = servers;
  }

  /** Listens, one socket a family. @throws SystemCallError EADDRINUSE if something else has the port. */
  static async listen(place: ServerPlace, identity: Identity): Promise<BuiltinServer> {
    const serve = place.protocol === 'TCP' ? serveHttp : serveDatagrams;
    return new BuiltinServer(await Promise.all(place.families.map((family) => serve(place, family, identity))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#servers.map(async (server) => {
        const closed = once(server, 'close');
        server.close();
        if ('closeAllConnections' in server) server.closeAllConnections();
        await closed;
      }),
    );
  }
}

async function serveHttp(place: ServerPlace, family: Family, identity: Identity): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    response.end(answer(identity, request.socket.remoteAddress ?? '', request.socket.remotePort ?? 0));
  });
  const fd = boundSocket({ namespace: place.namespace, type: 'tcp', address: family, port: place.port });
  const listening = once(server, 'listening');
  server.listen({ fd });
  await listening;
  return server;
}

async function serveDatagrams(place: ServerPlace, family: Family, identity: Identity): Promise<UdpSocket> {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  socket.on('message', (_, client) => {
    socket.send(answer(identity, client.address, client.port), client.port, client.address, () => undefined);
  });
  socket.on('error', () => undefined); // a refused answer is the client's loss
  const fd = boundSocket({ namespace: place.namespace, type: 'udp', address: family, port: place.port });
  const listening = once(socket, 'listening'); // told before bind() returns
  socket.bind({ fd });
  await listening;
  return socket;
}

function answer(identity: Identity, address: string, port: number): string {
  const client = ['client', address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`] as const;
  return [...identity, client].map(([name, value]) => `${name}: ${value}\n`).join('');
}
