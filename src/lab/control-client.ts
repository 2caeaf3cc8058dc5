import { once } from 'node:events';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { createInterface } from 'node:readline';
import type { FlowEvent } from '../flows/flow-event.ts';
import { LabError } from '../model/lab-error.ts';
import type { Explanation } from '../report/explanation.ts';
import type {
  ChangeReport,
  ExecTarget,
  LabClient,
  LabObject,
  LabProblem,
  LabQuestion,
  LabStatus,
  ProbeRequest,
  ProbeResult,
} from './lab-client.ts';

// Imported, it would load Node's WebSocket client too: 12 MB and 30 ms.
const { request } = process.getBuiltinModule('node:http');

/** Verbs of the lab's control socket: each is a POST of JSON to `/VERB`. */
export type ControlVerb =
  | 'status'
  | 'apply'
  | 'stage'
  | 'delete'
  | 'label'
  | 'objects'
  | 'flows'
  | 'explain'
  | 'predict'
  | 'probe'
  | 'exec-target'
  | 'stop';

/** A lab by its control socket, wherever that is. */
export abstract class ControlClient implements LabClient {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  abstract stop(): Promise<void>;

  /** How to reach the socket for one request. */
  protected abstract connection(): RequestOptions | Promise<RequestOptions>;

  /** What to read where the lab does not answer. */
  protected abstract get log(): string;

  status(): Promise<LabStatus> {
    return this.ask('status', {});
  }

  apply(files: Parameters<LabClient['apply']>[0]): Promise<ChangeReport> {
    return this.ask('apply', { files });
  }

  stage(files: Parameters<LabClient['stage']>[0]): Promise<ChangeReport> {
    return this.ask('stage', { files });
  }

  delete(target: Parameters<LabClient['delete']>[0]): Promise<ChangeReport> {
    return this.ask('delete', target);
  }

  label(change: Parameters<LabClient['label']>[0]): Promise<ChangeReport> {
    return this.ask('label', change);
  }

  objects(kind: string): Promise<readonly LabObject[]> {
    return this.ask('objects', { kind });
  }

  explain(question: LabQuestion): Promise<Explanation> {
    return this.ask('explain', question);
  }

  predict(questions: readonly LabQuestion[]): ReturnType<LabClient['predict']> {
    return this.ask('predict', { questions });
  }

  probe(requests: readonly ProbeRequest[]): Promise<readonly ProbeResult[]> {
    return this.ask('probe', { requests });
  }

  execTarget(pod: Parameters<LabClient['execTarget']>[0]): Promise<ExecTarget> {
    return this.ask('exec-target', pod);
  }

  async *flows({ follow, signal }: { follow: boolean; signal?: AbortSignal }): AsyncIterable<FlowEvent> {
    const response = await this.#send('flows', { follow }, signal);
    const lines = createInterface({ input: response, crlfDelay: Infinity });
    try {
      for await (const line of lines) yield JSON.parse(line) as FlowEvent;
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    } finally {
      lines.close();
      response.destroy();
    }
  }

  protected async ask<Answer>(verb: ControlVerb, body: unknown): Promise<Answer> {
    const response = await this.#send(verb, body);
    return JSON.parse(await textOf(response)) as Answer;
  }

  async #send(verb: ControlVerb, body: unknown, signal?: AbortSignal): Promise<IncomingMessage> {
    const text = JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const call = request({
      ...(await this.connection()),
      path: `/${verb}`,
      method: 'POST',
      headers,
      ...(signal ? { signal } : {}),
    });
    call.on('error', () => undefined); // told where the response is awaited, or read
    call.end(text);
    let response: IncomingMessage;
    try {
      [response] = (await once(call, 'response')) as [IncomingMessage];
    } catch (cause) {
      if (signal?.aborted === true) throw cause;
      throw new LabError(
        'environment',
        `lab ${this.name} does not answer: see ${this.log}, or end it by "netpol-lab down ${this.name}"`,
        { cause },
      );
    }
    if (response.statusCode === 200) return response;
    const problem = JSON.parse(await textOf(response)) as LabProblem;
    throw new LabError(problem.code === 'usage' ? 'usage' : 'environment', problem.message);
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
