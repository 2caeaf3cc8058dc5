import type { RequestOptions } from 'node:http';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LabError } from '../model/lab-error.ts';
import { ControlClient } from './control-client.ts';
import { isAlive, readRecord, removeRemains, type LabPaths } from './state-folder.ts';
import { whileLocked } from './state-lock.ts';

const STOP_DEADLINE_MS = 10_000; // a lab of 100 pods ends in under a second; past this its process is killed

/** A lab in network namespaces, by its control socket on this machine. */
export class HttpLabClient extends ControlClient {
  readonly #paths: LabPaths;

  constructor(name: string, paths: LabPaths) {
    super(name);
    this.#paths = paths;
  }

  async stop(): Promise<void> {
    const record = await readRecord(this.#paths);
    const answered = await this.ask('stop', {}).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof LabError)) throw error;
        return false; // it is not there, or has broken: it is killed at once
      },
    );
    const deadline = Date.now() + (answered ? STOP_DEADLINE_MS : 0);
    while (record && isAlive(record)) {
      if (Date.now() > deadline) process.kill(record.launcherPid, 'SIGKILL');
      await delay(5);
    }
    // Unless another lab has taken the name since.
    await whileLocked(dirname(this.#paths.folder), async () => {
      if ((await readRecord(this.#paths))?.startTicks === record?.startTicks) await removeRemains(this.#paths);
    });
  }

  protected connection(): RequestOptions {
    return { socketPath: this.#paths.socket, agent: false };
  }

  protected get log(): string {
    return this.#paths.log;
  }
}
