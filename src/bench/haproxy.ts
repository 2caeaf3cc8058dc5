import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { inNamespace, SystemCallError } from '../dataplane/libc.ts';
import { LabError } from '../model/lab-error.ts';
import { fromBytes } from '../net/ip.ts';
import type { BenchPod } from './bench-network.ts';
import { BENCH_PORT } from './bench-ports.ts';
import { PlainSocket } from './plain-sockets.ts';

const START_STEP_MS = 20;
const LOOPBACK = fromBytes([127, 0, 0, 1]);
/** How to get the programs that the bench runs. */
export const INSTALL = 'apt-get install haproxy wrk';

const TICKS_PER_SECOND = 100; // of /proc/PID/stat, on every Linux that Node runs on

const COMMON = `global
  nbthread 1
  maxconn 4000
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
`;

/** A server that answers each request by itself. */
export const HTTP_SERVER = `${COMMON}  mode http
frontend all
  bind :${BENCH_PORT.http} backlog 4096
  bind :${BENCH_PORT.httpBehind} backlog 4096
  http-request return status 200 content-type text/plain string ok
`;

/** A proxy of TCP to these ports of the server, with one thread, as the relay has. @param diverted the ports it takes connections at. */
export function tcpProxy(server: string, diverted: { readonly http: number; readonly sink: number }): string {
  const proxy = (name: string, port: number, to: number): string =>
    `listen ${name}\n  bind 127.0.0.1:${port} backlog 4096\n  server far ${server}:${to}\n`;
  return `${COMMON}  mode tcp
${proxy('http', diverted.http, BENCH_PORT.httpBehind)}${proxy('sink', diverted.sink, BENCH_PORT.sinkBehind)}`;
}

/** haproxy in a pod of the bench. It ends with this process, however that ends. */
export class Haproxy implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #folder: string;

  private constructor(process: ChildProcess, folder: string) {
    this.#process = process;
    this.#ended = once(process, 'close');
    this.#folder = folder;
  }

  /** Starts it and waits until it accepts at `port` of the pod's loopback. Throws LabError if it cannot be started. */
  static async start(pod: BenchPod, config: string, port: number): Promise<Haproxy> {
    const folder = mkdtempSync(join(tmpdir(), 'netpol-lab-bench-'));
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, config);
    const command = ['--pdeathsig', 'KILL', 'haproxy', '-db', '-q', '-f', file];
    const child = inNamespace(pod.namespace, () => spawn('setpriv', command, { stdio: 'ignore' }));
    const haproxy = new Haproxy(child, folder);
    for (;;) {
      if (child.exitCode !== null) {
        await haproxy[Symbol.asyncDispose]();
        throw new LabError('environment', `haproxy does not start (exit code ${child.exitCode}): ${INSTALL}`);
      }
      if (accepts(pod, port)) return haproxy;
      await setTimeout(START_STEP_MS);
    }
  }

  /** Processor time so far, in microseconds. */
  cpuMicroseconds(): number {
    const fields = readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1e6;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#ended;
    rmSync(this.#folder, { recursive: true });
  }
}

function accepts(pod: BenchPod, port: number): boolean {
  try {
    using _ = new PlainSocket(pod, { type: 'tcp', address: LOOPBACK, port, bufferBytes: 0 });
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.code === 'ECONNREFUSED') return false;
    throw error;
  }
}
