import { LabError } from '../model/lab-error.ts';
import { HttpLabClient } from './http-client.ts';
import { isAlive, knownLabs, labPaths, readRecord, removeRemains, stateFolder } from './state-folder.ts';

/** Names of this user's running labs, sorted. */
export async function runningLabs(): Promise<readonly string[]> {
  const root = await stateFolder();
  const names = await knownLabs(root);
  const records = await Promise.all(names.map((name) => readRecord(labPaths(root, name))));
  return names.filter((_, index) => {
    const record = records[index];
    return record !== undefined && isAlive(record);
  });
}

/**
 * The running lab of that name, or without a name the only one that runs.
 * @throws LabError usage if there is none, or several to choose from.
 */
export async function connectLab(name: string | undefined): Promise<HttpLabClient> {
  const running = await runningLabs();
  const chosen = name ?? (running.length === 1 ? running[0] : undefined);
  if (chosen === undefined) {
    throw new LabError(
      'usage',
      running.length === 0
        ? 'no lab runs: start one, for example "netpol-lab up default-deny"'
        : `several labs run (${running.join(', ')}): choose one by --lab NAME`,
    );
  }
  if (!running.includes(chosen)) {
    const others = running.length === 0 ? 'no lab runs' : `running: ${running.join(', ')}`;
    throw new LabError('usage', `lab ${chosen} does not run (${others}): start it by "netpol-lab up"`);
  }
  return new HttpLabClient(chosen, labPaths(await stateFolder(), chosen));
}

/** Removes what crashed labs left on disk. @returns their names. */
export async function removeCrashed(): Promise<readonly string[]> {
  const root = await stateFolder();
  const running = await runningLabs();
  const dead = (await knownLabs(root)).filter((name) => !running.includes(name));
  await Promise.all(dead.map((name) => removeRemains(labPaths(root, name))));
  return dead;
}
