import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { boundSocket } from '../../dataplane/libc.ts';
import type { Family } from '../../net/ip.ts';

// Imported, it would load Node's WebSocket client too: 12 MB and 30 ms.
const { createServer } = process.getBuiltinModule('node:http');

/** Who a built-in server says it is: the lines of its answer but for the client's. */
export type Identity = readonly (readonly [name: string, value: string])[];

/** Where a built-in server listens: any address of the families, in a network namespace: a descriptor, or undefined for this process's own. */
export interface ServerPlace {
  readonly namespace: number | undefined;
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

  /** Listens, one socket a family; tells of every request in a line, as nginx does. @throws SystemCallError EADDRINUSE if something else has the port. */
  static async listen(
    place: ServerPlace,
    identity: Identity,
    tell: (line: string) => void = () => undefined,
  ): Promise<BuiltinServer> {
    const serve = place.protocol === 'TCP' ? serveHttp : serveDatagrams;
    const service = { identity, tell };
    return new BuiltinServer(await Promise.all(place.families.map((family) => serve(place, family, service))));
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

interface Service {
  readonly identity: Identity;
  readonly tell: (line: string) => void;
}

async function serveHttp(place: ServerPlace, family: Family, { identity, tell }: Service): Promise<Server> {
  const server = createServer((request, response) => {
    const { remoteAddress = '', remotePort = 0 } = request.socket;
    const text = answer(identity, remoteAddress, remotePort);
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    response.end(text);
    tell(accessLine(request, remoteAddress, Buffer.byteLength(text)));
  });
  const fd = boundSocket({ namespace: place.namespace, type: 'tcp', address: family, port: place.port });
  const listening = once(server, 'listening');
  server.listen({ fd });
  await listening;
  return server;
}

async function serveDatagrams(place: ServerPlace, family: Family, { identity, tell }: Service): Promise<UdpSocket> {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  socket.on('message', (datagram, client) => {
    tell(`${client.address} - - [${logTime(new Date())}] datagram to port ${place.port}, ${datagram.length} bytes`);
    socket.send(answer(identity, client.address, client.port), client.port, client.address, () => undefined);
  });
  socket.on('error', () => undefined); // a refused answer is the client's loss
  const fd = boundSocket({ namespace: place.namespace, type: 'udp', address: family, port: place.port });
  const listening = once(socket, 'listening'); // told before bind() returns
  socket.bind({ fd });
  await listening;
  return socket;
}

/** nginx's `combined` format. Source: ngx_http_log_module. */
function accessLine(request: IncomingMessage, address: string, bytes: number): string {
  const { method = '', url = '', httpVersion, headers } = request;
  const [referer, agent] = [headers.referer ?? '-', headers['user-agent'] ?? '-'].map(escaped);
  const asked = escaped(`${method} ${url} HTTP/${httpVersion}`);
  return `${address} - - [${logTime(new Date())}] "${asked}" 200 ${bytes} "${referer}" "${agent}"`;
}

/** What a client sends cannot end the quotes, or the line. */
function escaped(text: string): string {
  return text.replace(/["\\\x00-\x1f\x7f-\uffff]/g, (character) => {
    const code = character.charCodeAt(0) & 0xff;
    return `\\x${code.toString(16).padStart(2, '0').toUpperCase()}`;
  });
}

/** `26/Nov/2026:01:34:14 +0000`. */
function logTime(now: Date): string {
  const [, day = '', month = '', year = '', time = ''] = now.toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}

function answer(identity: Identity, address: string, port: number): string {
  const client = ['client', address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`] as const;
  return [...identity, client].map(([name, value]) => `${name}: ${value}\n`).join('');
}
