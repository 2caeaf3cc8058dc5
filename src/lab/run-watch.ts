import { LabError } from '../model/lab-error.ts';
import type { PodExpectation, StartedExpectation } from './expectation-schema.ts';
import type { PodStatus } from './lab-client.ts';
import type { PodResult, StartedResult, Trial } from './trial.ts';

const POLL_MS = 50;
const NO_FLOWS = { flows: [], decisive: null } as const;

/** Waits until a pod is as it must be. */
export async function tryPod(trial: Trial, expectation: PodExpectation): Promise<PodResult> {
  const { pod, is, withinMs } = expectation;
  let seen: PodResult['seen'] = 'gone';
  const ms = await poll(trial, withinMs, async () => {
    const { pods } = await trial.client.status();
    seen = stateOf(pods.find(({ namespace, name }) => namespace === pod.namespace && name === pod.name));
    return seen === is;
  });
  const failures = seen === is ? [] : [`expected ${is} within ${withinMs / 1000} s, got ${seen}`];
  return { kind: 'pod', expectation, seen, ms, failures, ...NO_FLOWS };
}

function stateOf(pod: PodStatus | undefined): PodResult['seen'] {
  switch (pod?.phase) {
    case undefined:
      return 'gone';
    case 'Pending':
      return 'pending';
    case 'Running':
      return pod.ready ? 'ready' : 'unready';
    case 'Succeeded':
      return 'succeeded';
    case 'Failed':
      return 'failed';
  }
}

/** Watches what a started command writes from now on. @throws LabError usage if none of this name was started. */
export async function tryStarted(trial: Trial, expectation: StartedExpectation): Promise<StartedResult> {
  const { started, output: wanted, withinMs } = expectation;
  const command = trial.started.get(started);
  if (!command) throw new LabError('usage', `no step before has started a command as ${started}`);
  command.take();
  let output = '';
  const ms = await poll(trial, withinMs, () => {
    output += command.take();
    return Promise.resolve(wanted?.test(output) ?? output !== '');
  });
  const seconds = withinMs / 1000;
  const isMet = wanted ? wanted.test(output) : output === '';
  const failure = wanted
    ? `expected output like /${wanted.source}/ within ${seconds} s, there is none`
    : `expected silence for ${seconds} s, it wrote something`;
  return { kind: 'started', expectation, output, ms, failures: isMet ? [] : [failure], ...NO_FLOWS };
}

/** Looks again and again, until `found` says so or time is up. @returns how long it took, in ms. */
async function poll({ host, signal }: Trial, withinMs: number, found: () => Promise<boolean>): Promise<number> {
  const startedAt = host.now();
  const elapsed = (): number => host.now() - startedAt;
  while (!(await found()) && elapsed() < withinMs) {
    await host.pause(POLL_MS);
    signal.throwIfAborted();
  }
  return elapsed();
}
