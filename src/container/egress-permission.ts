import { linesOf } from '../kube/lines.ts';
import type { EgressAnswer, EgressQuestion } from '../lab/egress-question.ts';

// Imported, it would load Node's WebSocket client too: 12 MB and 30 ms.
const { request } = process.getBuiltinModule('node:http');

/** What the lab has answered. */
export interface EgressPermission {
  readonly answer: EgressAnswer;
  /** Aborted when an answer that may be revoked holds no more, also because the lab is gone. */
  readonly revoked: AbortSignal;
  /** To be called when what was allowed has ended. */
  readonly release: () => void;
}

const MAX_ANSWER = 1024 * 1024;

/** Asks the lab by its control socket. Throws if there is no answer before the signal aborts: then nothing is allowed. */
export async function askForEgress(
  controlSocket: string,
  question: EgressQuestion,
  signal: AbortSignal,
): Promise<EgressPermission> {
  const body = JSON.stringify(question);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const call = request({ socketPath: controlSocket, path: '/egress', method: 'POST', headers, agent: false });
  const giveUp = (): void => void call.destroy(new Error('it has not answered in time'));
  signal.addEventListener('abort', giveUp);
  const revocation = new AbortController();
  const response = await new Promise<AsyncIterable<Buffer> & { readonly statusCode?: number }>((resolve, reject) => {
    call.on('error', reject).on('response', resolve).end(body);
  });
  if (response.statusCode !== 200) throw new Error(`it answers with ${response.statusCode}`);
  const lines = linesOf(response, MAX_ANSWER);
  const first = await lines.next();
  signal.removeEventListener('abort', giveUp);
  if (first.done) throw new Error('it has broken off');
  const answer = JSON.parse(first.value) as EgressAnswer;
  if (answer.kind === 'allowed' && answer.revocable) void endOf(lines).finally(() => revocation.abort());
  return { answer, revoked: revocation.signal, release: () => void call.destroy() };
}

/** Resolves when no more lines come, for whatever reason. */
async function endOf(lines: AsyncIterator<string>): Promise<void> {
  try {
    while (!(await lines.next()).done);
  } catch {
    // It broke off.
  }
}
