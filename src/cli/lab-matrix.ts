import type { LabClient, ProbeRequest } from '../lab/lab-client.ts';
import { podKey } from '../model/pod.ts';
import type { PortSpec } from '../model/question.ts';
import type { Matrix } from '../report/matrix.ts';

/** A matrix's port, and how long a probe waits. */
export interface LabMatrixOptions extends PortSpec {
  readonly timeoutMs: number;
}

const PROBES_AT_ONCE = 512; // of one request; the lab runs them side by side
const QUESTIONS_AT_ONCE = 8192; // of one request: about 10 ms of the lab's time

/** What the lab's own table says of every pair of its running pods. */
export async function predictedMatrix(
  client: LabClient,
  options: LabMatrixOptions,
  onProgress: (text: string) => void,
): Promise<Matrix> {
  const pods = await runningPods(client);
  return { pods, allowed: square(pods.length, await predict(client, pairsOf(pods, options), onProgress)) };
}

/** What real connections between every pair of pods meet, with what the lab's table says of them. */
export async function probedMatrix(
  client: LabClient,
  options: LabMatrixOptions,
  onProgress: (text: string) => void,
): Promise<Matrix> {
  const pods = await runningPods(client);
  const pairs = pairsOf(pods, options);
  const predicted = await predict(client, pairs, onProgress);
  const allowed: boolean[] = [];
  for (let start = 0; start < pairs.length; start += PROBES_AT_ONCE) {
    onProgress(`${start} of ${pairs.length} connections tried`);
    const results = await client.probe(pairs.slice(start, start + PROBES_AT_ONCE));
    allowed.push(...results.map((result) => result.allowed));
  }
  return { pods, allowed: square(pods.length, allowed), predicted: square(pods.length, predicted) };
}

async function predict(
  client: LabClient,
  pairs: readonly ProbeRequest[],
  onProgress: (text: string) => void,
): Promise<boolean[]> {
  const allowed: boolean[] = [];
  for (let start = 0; start < pairs.length; start += QUESTIONS_AT_ONCE) {
    onProgress(`${start} of ${pairs.length} connections predicted`);
    const some = pairs.slice(start, start + QUESTIONS_AT_ONCE);
    for (const verdict of await client.predict(some)) allowed.push(verdict === 'allow');
  }
  return allowed;
}

async function runningPods(client: LabClient): Promise<string[]> {
  const { pods } = await client.status();
  return pods.filter(({ phase, addresses }) => phase === 'Running' && addresses.length > 0).map(podKey);
}

/** Every ordered pair, row by row. */
function pairsOf(pods: readonly string[], { protocol, port, timeoutMs }: LabMatrixOptions): ProbeRequest[] {
  return pods.flatMap((from) => pods.map((to) => ({ from, to, protocol, port, timeoutMs })));
}

function square<T>(size: number, cells: readonly T[]): T[][] {
  return Array.from({ length: size }, (_, row) => cells.slice(row * size, (row + 1) * size));
}
