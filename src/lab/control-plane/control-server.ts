import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { FlowLog } from '../../flows/flow-log.ts';
import { LabError } from '../../model/lab-error.ts';
import type { EgressQuestion } from '../egress-question.ts';
import type { LabProblem } from '../lab-client.ts';
import type { EgressAdmission } from './egress-admission.ts';

// Imported, it would load Node's WebSocket client too: 12 MB and 30 ms.
const { createServer } = process.getBuiltinModule('node:http');

/** What answers the verbs that have one answer. */
export interface LabControl {
  /** @returns undefined for a verb that there is not. */
  answer(verb: string, body: unknown): Promise<unknown>;
}

/** What the control socket serves. `stop` ends the lab; it is called once the answer is out. */
export interface ControlOptions {
  readonly socket: string;
  readonly control: LabControl;
  readonly log: FlowLog;
  readonly admission: EgressAdmission;
  readonly stop: () => void;
}

const EGRESS_BODY = z.object({
  gateway: z.string(),
  client: z.string(),
  clientPort: z.number(),
  destination: z.string(),
  port: z.number(),
});

// 10,000 objects of 3 kB; a body is kept in memory.
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Serves the lab's verbs as JSON over HTTP on a Unix socket; who may open its folder may use it. */
export async function serveControl(options: ControlOptions): Promise<Server> {
  const server = createServer((request, response) => {
    void handle(request, response, options).catch((error: unknown) => {
      fail(response, error);
    });
  });
  server.requestTimeout = 0; // the socket is this user's alone; "flows" lasts
  server.listen(options.socket);
  await once(server, 'listening');
  return server;
}

async function handle(request: IncomingMessage, response: ServerResponse, options: ControlOptions): Promise<void> {
  const verb = (request.url ?? '').slice(1);
  const body = await bodyOf(request);
  switch (verb) {
    case 'flows':
      streamFlows(response, options.log, z.object({ follow: z.boolean() }).parse(body).follow);
      return;
    case 'egress':
      streamAdmission(response, options.admission, EGRESS_BODY.parse(body));
      return;
    case 'stop':
      response.end('{}', options.stop);
      return;
    default: {
      const answer = await options.control.answer(verb, body);
      if (answer === undefined)
        throw new LabError('usage', `the lab has no verb "${verb}": is netpol-lab newer than the lab?`);
      response.end(JSON.stringify(answer));
    }
  }
}

function streamFlows(response: ServerResponse, log: FlowLog, follow: boolean): void {
  for (const event of log.events) response.write(`${JSON.stringify(event)}\n`);
  if (!follow) {
    response.end();
    return;
  }
  response.flushHeaders();
  const unfollow = log.follow((event) => {
    response.write(`${JSON.stringify(event)}\n`);
  });
  response.on('close', unfollow);
}

/** A line with the answer. Where it may be revoked, the response goes on until it is: by its end. */
function streamAdmission(response: ServerResponse, admission: EgressAdmission, question: EgressQuestion): void {
  const { answer, revoked, release } = admission.admit(question);
  response.write(`${JSON.stringify(answer)}\n`);
  response.on('close', release);
  if (!revoked) response.end();
  else revoked.addEventListener('abort', () => response.end());
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new LabError('usage', `a request to a lab has at most ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw new LabError('usage', 'a request to a lab is JSON', { cause });
  }
}

function fail(response: ServerResponse, error: unknown): void {
  const problem: LabProblem =
    error instanceof LabError
      ? { code: error.code, message: error.message }
      : error instanceof z.ZodError
        ? { code: 'usage', message: z.prettifyError(error) }
        : { code: 'environment', message: `the lab failed: ${error instanceof Error ? error.message : String(error)}` };
  if (problem.code !== 'usage') console.error(error);
  if (response.headersSent) response.destroy();
  else response.writeHead(problem.code === 'usage' ? 400 : 500).end(JSON.stringify(problem));
}
