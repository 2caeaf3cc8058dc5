import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request, type RequestOptions } from 'node:https';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ApiStore } from '../../src/apiserver/api-store.ts';
import { ApiServer, type ApiServerOptions } from '../../src/apiserver/http/api-server.ts';
import { makeCertificate } from '../../src/apiserver/http/certificate.ts';
import { kubeconfig } from '../../src/apiserver/kubeconfig.ts';

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** An answer to a request. */
export interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** What a request sends. */
export interface Sent {
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export const TOKEN = 'a-token-for-tests';

/** A served store, with a folder of its own and a kubeconfig in it. */
export class ApiFixture {
  readonly store: ApiStore;
  readonly server: ApiServer;
  readonly folder: string;
  readonly caPem: string;

  readonly #agent = new Agent({ keepAlive: true });

  private constructor(parts: { store: ApiStore; server: ApiServer; folder: string; caPem: string }) {
    ({ store: this.store, server: this.server, folder: this.folder, caPem: this.caPem } = parts);
  }

  static async start(options: Pick<ApiServerOptions, 'requestTimeoutMs' | 'streams'> = {}): Promise<ApiFixture> {
    const folder = await mkdtemp(join(tmpdir(), 'netpol-lab-api-'));
    const store = await ApiStore.open();
    const certificate = makeCertificate(new Date());
    const server = await ApiServer.start({ store, token: TOKEN, certificate, ...options });
    const { caPem } = certificate;
    const config = kubeconfig({ server: server.url, caPem, token: TOKEN, namespace: 'default' });
    await writeFile(join(folder, 'config'), config);
    return new ApiFixture({ store, server, folder, caPem });
  }

  /** Runs kubectl with this text as its standard input. */
  kubectl(args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const running = this.startKubectl(args, env);
    running.type(input);
    return running.ended;
  }

  /** Starts kubectl. */
  startKubectl(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningProgram {
    const path = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`;
    return new RunningProgram('kubectl', ['--cache-dir', join(this.folder, 'cache'), ...args], {
      PATH: path,
      HOME: this.folder,
      KUBECONFIG: join(this.folder, 'config'),
      ...env,
    });
  }

  /** A request that has been begun but not ended, with the token. */
  request(path: string, { method = 'GET', headers = {} }: Sent = {}, agent: Agent | false = false): ClientRequest {
    const options: RequestOptions = { method, ca: this.caPem, servername: 'localhost', agent };
    return request(this.server.url, {
      ...options,
      path,
      headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    });
  }

  /** Sends a request and reads its whole answer. */
  ask(path: string, sent: Sent = {}): Promise<Answer> {
    return sendWhole(this.request(path, sent), sent.body);
  }

  /** The same over a connection that is kept for the next. */
  askAgain(path: string, sent: Sent = {}): Promise<Answer> {
    return sendWhole(this.request(path, sent, this.#agent), sent.body);
  }

  /** Writes a file into the folder. @returns its path. */
  async file(name: string, text: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, text);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await this.server.close();
    await this.store.close();
    await rm(this.folder, { recursive: true });
  }
}

/** A program that runs; killed at the end of its scope if it still does. */
export class RunningProgram {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcessWithoutNullStreams;
  #out = '';

  constructor(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const child = spawn(program, args, { env });
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (this.#out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.stdin.on('error', () => undefined); // it may end before it has read
    this.#child = child;
    this.ended = new Promise((resolve, reject) => {
      child.on('error', (cause) => {
        const install = 'install kubectl 1.31 or newer (https://kubernetes.io/docs/tasks/tools)';
        reject(new Error(`this test needs ${program} on the PATH: ${install}`, { cause }));
      });
      child.on('close', (code) => resolve({ code, out: this.#out, err }));
    });
  }

  /** Gives it its whole standard input. */
  type(input: string): void {
    this.#child.stdin.end(input);
  }

  /** Resolves when its output matches. Rejects if it ends before. */
  async printed(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#out)) {
      const ended = await Promise.race([once(this.#child.stdout, 'data').then(() => undefined), this.ended]);
      if (ended) throw new Error(`ended with ${ended.code}: ${ended.out}${ended.err}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

function sendWhole(asked: ClientRequest, body: string | Buffer = ''): Promise<Answer> {
  asked.setHeader('content-length', Buffer.byteLength(body)); // left out of a DELETE otherwise
  asked.end(body);
  return readAnswer(asked);
}

/** The answer to a request, read to its end. */
export async function readAnswer(asked: ClientRequest): Promise<Answer> {
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks = await response.toArray();
  return {
    code: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks as Buffer[]).toString(),
  };
}
