import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type IncomingMessage } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EgressGateway } from '../../src/container/egress-gateway.ts';
import { FlowLog } from '../../src/flows/flow-log.ts';
import { serveControl } from '../../src/lab/control-plane/control-server.ts';
import { EgressAdmission } from '../../src/lab/control-plane/egress-admission.ts';
import { DEFAULT_OPTIONS } from '../../src/lab/lab-client.ts';
import { compile } from '../../src/table/compile.ts';
import { cluster } from '../builders/cluster.ts';

/** A gateway whose lab's socket would be at `controlSocket`, and a server that counts who gets through to it. */
async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'npl-'));
  const controlSocket = join(folder, 'control.sock');
  const reached = { count: 0 };
  const target = createServer((_, response) => void response.end(`${(reached.count += 1)}`)).listen(0, '127.0.0.1');
  await once(target, 'listening');
  const gateway = await EgressGateway.start({ pod: 'x/gateway', port: 0, controlSocket, tell: () => undefined });
  onTestFinished(async () => {
    await gateway[Symbol.asyncDispose]();
    await closed(target);
    rmSync(folder, { recursive: true });
  });
  const { port } = target.address() as AddressInfo;
  return { controlSocket, reached, target: `127.0.0.1:${port}`, gatewayPort: gateway.port };
}

async function closed(server: Server): Promise<void> {
  const closing = once(server, 'close');
  server.close();
  await closing;
}

/** Asks the gateway, by GET or for a tunnel. @returns the answer's status and text. */
async function ask(port: number, method: 'GET' | 'CONNECT', target: string): Promise<{ status: number; text: string }> {
  const path = method === 'GET' ? `http://${target}/` : target;
  const call = request({ host: '127.0.0.1', port, method, path, agent: false }).end();
  const [response] = (await Promise.race([once(call, 'response'), once(call, 'connect')])) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of method === 'GET' ? response : response.socket) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}

test.each(['GET', 'CONNECT'] as const)('a gateway whose lab is not there lets nothing through (%s)', async (method) => {
  const { controlSocket, reached, target, gatewayPort } = await start();
  const { status, text } = await ask(gatewayPort, method, target);
  expect(status).toBe(503);
  // curl shows no text of a refused tunnel, and Node's client has read it.
  if (method === 'GET') expect(text).toContain('the lab cannot be asked what policies allow, so nothing is');
  // Once it is there, its own word counts: this client is no pod.
  const admission = new EgressAdmission({
    spec: { external: [], options: DEFAULT_OPTIONS },
    table: () => compile(cluster({})),
    isReady: () => true,
    log: new FlowLog(1),
  });
  const control = { answer: () => Promise.resolve(undefined) };
  const lab = await serveControl({
    socket: controlSocket,
    control,
    log: new FlowLog(1),
    admission,
    stop: () => undefined,
  });
  expect(await ask(gatewayPort, method, target)).toMatchObject({ status: 403 });
  await closed(lab);
  expect(await ask(gatewayPort, method, target)).toMatchObject({ status: 503 });
  expect(reached.count).toBe(0);
});

test.each([
  { lab: 'breaks off', answer: '' },
  { lab: 'speaks another language', answer: 'HTTP/1.1 200 OK\r\n\r\nallowed\n' },
  { lab: 'fails', answer: 'HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n' },
])('nor does one whose lab $lab', async ({ answer }) => {
  const { controlSocket, reached, target, gatewayPort } = await start();
  const lab = createTcpServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end(answer));
  }).listen(controlSocket);
  await once(lab, 'listening');
  expect(await ask(gatewayPort, 'GET', target)).toMatchObject({ status: 503 });
  await closed(lab);
  expect(reached.count).toBe(0);
});

test('one that is allowed is led to where the lab says, and nowhere else', async () => {
  const { controlSocket, reached, target, gatewayPort } = await start();
  const [address = '', port = ''] = target.split(':');
  const body = `${JSON.stringify({ kind: 'allowed', address, port: Number(port), revocable: false })}\n`;
  const lab = createServer((_, response) => void response.end(body)).listen(controlSocket);
  await once(lab, 'listening');
  expect(await ask(gatewayPort, 'GET', '203.0.113.1')).toEqual({ status: 200, text: '1' });
  await closed(lab);
  expect(reached.count).toBe(1);
});
