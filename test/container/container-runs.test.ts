import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { containerRuns, type ContainerRun } from '../../src/container/container-runs.ts';

const WORKLOAD = fileURLToPath(new URL('../../src/container/workload.sh', import.meta.url));

/** A container's command under its supervisor, in this process's network. */
class Workload implements AsyncDisposable {
  readonly #container = randomUUID();
  readonly #child;

  constructor(restart: 'always' | 'on-failure' | 'no', script: string) {
    const args = [WORKLOAD, this.#container, restart, 'sh', '-c', script];
    this.#child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  }

  get run(): ContainerRun | undefined {
    return containerRuns().get(this.#container);
  }

  get output(): AsyncIterable<string> {
    return createInterface({ input: this.#child.stdout });
  }

  /** Resolves when the command goes so. */
  async until(run: ContainerRun): Promise<void> {
    await expect.poll(() => this.run, { timeout: 10_000, interval: 5 }).toEqual(run);
  }

  /** As Docker stops it. @returns its exit code. */
  async stop(): Promise<number | null> {
    const ended = once(this.#child, 'exit') as Promise<[number | null]>;
    this.#child.kill('SIGTERM');
    return (await ended)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) await this.stop();
    this.#child.stdout.destroy();
    process.kill(-(this.#child.pid ?? NaN), 'SIGKILL'); // Docker ends all of a container
  }
}

describe('a command in a container', () => {
  test.each([
    { restart: 'no', script: 'true', exitCode: 0 },
    { restart: 'no', script: 'exit 3', exitCode: 3 },
    { restart: 'no', script: 'kill -KILL $$', exitCode: 137 },
    { restart: 'on-failure', script: 'true', exitCode: 0 },
  ] as const)('$script, restarted: $restart, has ended with $exitCode', async ({ restart, script, exitCode }) => {
    await using workload = new Workload(restart, script);
    await workload.until({ kind: 'done', restarts: 0, exitCode });
  });

  test('that goes on runs', async () => {
    await using workload = new Workload('always', 'exec sleep infinity');
    await workload.until({ kind: 'running', restarts: 0 });
  });

  test.each(['always', 'on-failure'] as const)('that crashes is run again: %s', async (restart) => {
    await using workload = new Workload(restart, 'exit 2');
    await workload.until({ kind: 'restarting', restarts: 1, exitCode: 2 });
    await workload.until({ kind: 'restarting', restarts: 2, exitCode: 2 });
  });

  test('takes what it has left running with it', async () => {
    await using workload = new Workload('no', 'sleep infinity & echo $!');
    await workload.until({ kind: 'done', restarts: 0, exitCode: 0 });
    for await (const pid of workload.output) {
      expect(existsSync(`/proc/${pid}/fd/0`)).toBe(false);
      break;
    }
  });

  test('is told when its container is stopped', async () => {
    await using workload = new Workload(
      'no',
      'trap "echo stopped; exit" TERM; echo ready; while :; do sleep 0.01; done',
    );
    const said: string[] = [];
    for await (const line of workload.output) {
      said.push(line);
      if (line !== 'ready') break;
      expect(await workload.stop()).toBe(0);
    }
    expect(said).toEqual(['ready', 'stopped']);
  });
});

test('what has no such name tells of no container', () => {
  const names = [
    '@netpol-lab/app/0/done',
    '@netpol-lab/app/x/running',
    '@other/app/0/running',
    '@netpol-lab/a/0/running/1',
  ];
  expect(containerRuns(names.map((name) => `0: 2 0 10000 1 01 7 ${name}`).join('\n'))).toEqual(new Map());
});
