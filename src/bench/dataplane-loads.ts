import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { inNamespace } from '../dataplane/libc.ts';
import { invariant } from '../model/invariant.ts';
import { LabError } from '../model/lab-error.ts';
import type { IpAddress } from '../net/ip.ts';
import type { BenchPod } from './bench-network.ts';
import { BENCH_PORT, COUNT_BYTES } from './bench-ports.ts';
import { INSTALL } from './haproxy.ts';
import { PlainSocket } from './plain-sockets.ts';
import { summary, type Times } from './timing.ts';

const HTTP_SECONDS = 1;
const HTTP_CLIENTS = 32;
const CONNECTS = 300;
const STREAM_BYTES = 256 * 2 ** 20;
const CHUNK_BYTES = 1 << 18;
const EXCHANGES = 10_000;

/** One request and its answer, byte by byte checked. Throws if the answer is another. */
export function checkAnswer(pod: BenchPod, server: IpAddress): void {
  using socket = new PlainSocket(pod, { type: 'tcp', address: server, port: BENCH_PORT.http, bufferBytes: 4096 });
  const request = new TextEncoder().encode('GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n');
  socket.buffer.bytes.set(request);
  socket.send(request.length);
  let answer = '';
  for (;;) {
    const got = socket.receive();
    if (got === 0) break;
    answer += new TextDecoder().decode(socket.buffer.bytes.subarray(0, got));
  }
  invariant(answer.startsWith('HTTP/1.1 200') && answer.endsWith('\r\nok'), `the server answers, not ${answer}`);
}

// Linux before 6.19 resets about one connection in half a million whose client sends while its handshake ends on another
// processor: "inet: Avoid ehash lookup race in inet_ehash_insert()".
const FAILED_MAX = 1 / 10_000;

/**
 * HTTP requests over connections of their own, as many as 32 clients at once get done in so many threads, 32 at most.
 * @returns how many a second, how many there were, and how many failed besides. Throws if more failed than the kernel's
 * own fault explains, or an answer is an error; LabError without wrk.
 */
export async function httpRate(
  pod: BenchPod,
  server: IpAddress,
  threads: number,
): Promise<{ perSecond: number; requests: number; failed: number }> {
  const load = [`-d${HTTP_SECONDS}s`, `-c${HTTP_CLIENTS}`, `-t${Math.min(threads, HTTP_CLIENTS)}`];
  const command = [...load, '-H', 'Connection: close', `http://${server.text}:${BENCH_PORT.http}/`];
  const child = inNamespace(pod.namespace, () => spawn('wrk', command, { stdio: ['ignore', 'pipe', 'inherit'] }));
  const [said] = await Promise.all([text(child.stdout), once(child, 'close')]).catch((error: unknown) => {
    throw new LabError('environment', `wrk cannot be started: ${INSTALL}`, { cause: error });
  });
  const requests = Number(/([0-9]+) requests in/.exec(said)?.[1]);
  const perSecond = Number(/Requests\/sec: +([0-9.]+)/.exec(said)?.[1]);
  const [errors, reset] = /Socket errors: connect 0, read ([0-9]+), write 0, timeout 0/.exec(said) ?? [];
  const failed = Number(reset ?? 0);
  const isOther = said.includes('Non-2xx') || (said.includes('Socket errors') && errors === undefined);
  const isSound = requests > 0 && failed <= Math.max(1, requests * FAILED_MAX) && !isOther;
  invariant(isSound, `requests failed: ${said}`);
  return { perSecond, requests, failed };
}

/** How long connect() takes, in nanoseconds, one after the other. */
export function connectTimes(pod: BenchPod, server: IpAddress): Times {
  const to = { type: 'tcp', address: server, port: BENCH_PORT.http, bufferBytes: 0 } as const;
  const times = Array.from({ length: CONNECTS }, () => {
    const start = performance.now();
    using _ = new PlainSocket(pod, to);
    return (performance.now() - start) * 1e6;
  });
  return summary(times);
}

/** Bytes a second of one stream, from the first byte until the server has confirmed the last. Throws if it got fewer. */
export function streamRate(pod: BenchPod, server: IpAddress): number {
  using socket = new PlainSocket(pod, {
    type: 'tcp',
    address: server,
    port: BENCH_PORT.sink,
    bufferBytes: CHUNK_BYTES,
  });
  const start = performance.now();
  let sent = 0;
  while (sent < STREAM_BYTES) sent += socket.send(Math.min(CHUNK_BYTES, STREAM_BYTES - sent));
  socket.end();
  invariant(socket.receive() === COUNT_BYTES, 'the server answers with a count');
  const seconds = (performance.now() - start) / 1000;
  invariant(socket.buffer.view.getFloat64(0) === sent, 'the server got what was sent');
  return sent / seconds;
}

/** UDP exchanges a second, one after the other. Throws if an answer is another or does not come. */
export function exchangeRate(pod: BenchPod, server: IpAddress): number {
  using socket = new PlainSocket(pod, { type: 'udp', address: server, port: BENCH_PORT.echo, bufferBytes: 64 });
  const { view } = socket.buffer;
  const start = performance.now();
  for (let number = 0; number < EXCHANGES; number++) {
    view.setUint32(0, number);
    socket.send(64);
    view.setUint32(0, 0xffffffff);
    invariant(socket.receive() === 64 && view.getUint32(0) === number, `the answer to exchange ${number}`);
  }
  return EXCHANGES / ((performance.now() - start) / 1000);
}
