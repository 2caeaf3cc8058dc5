import { LabError } from '../model/lab-error.ts';
import { ComposeLabClient } from './compose/compose-client.ts';
import { labsInContainers, labsWithRemains } from './compose/holdings.ts';
import type { ControlClient } from './control-client.ts';
import { HttpLabClient } from './http-client.ts';
import { composeLabs, isAlive, knownLabs, labPaths, readRecord, removeRemains, stateFolder } from './state-folder.ts';
import { whileLocked } from './state-lock.ts';

/** Names of the running labs, sorted: this user's in network namespaces, and those in containers of Docker. */
export async function runningLabs(): Promise<readonly string[]> {
  const labs = await Promise.all([labsInNamespaces(), labsInContainers()]);
  return [...new Set(labs.flat())].sort();
}

/** Names of this user's running labs in network namespaces, sorted. */
export async function labsInNamespaces(): Promise<readonly string[]> {
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
export async function connectLab(name: string | undefined): Promise<ControlClient> {
  const inNamespaces = await labsInNamespaces();
  const running = name !== undefined && inNamespaces.includes(name) ? [name] : await runningLabs();
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
  if (!inNamespaces.includes(chosen)) return new ComposeLabClient(chosen);
  return new HttpLabClient(chosen, labPaths(await stateFolder(), chosen));
}

/** Names of the running labs that this user has started, sorted. */
export async function ownLabs(): Promise<readonly string[]> {
  const [inNamespaces, inContainers, own] = await Promise.all([labsInNamespaces(), labsInContainers(), composeLabs()]);
  return [...inNamespaces, ...inContainers.filter((name) => own.includes(name))].sort();
}

/** Removes what crashed labs of this user left, and what Docker holds of `name` though nothing of it runs. @returns their names. */
export async function removeCrashed(name: string | undefined): Promise<readonly string[]> {
  const root = await stateFolder();
  const dead = await removeDead(root);
  const [running, started] = await Promise.all([runningLabs(), composeLabs()]);
  const wanted = [...started, ...(name === undefined ? [] : [name])].filter((lab) => !running.includes(lab));
  const held = wanted.length === 0 ? [] : await labsWithRemains();
  const left = wanted.filter((lab) => started.includes(lab) || held.includes(lab));
  await Promise.all(left.map((lab) => new ComposeLabClient(lab).stop()));
  return [...new Set([...dead, ...left])].sort();
}

/** Removes what labs in namespaces have left that do not run. @returns their names. */
async function removeDead(root: string): Promise<readonly string[]> {
  if ((await knownLabs(root)).length === 0) return [];
  return await whileLocked(root, async () => {
    const [known, running] = await Promise.all([knownLabs(root), labsInNamespaces()]);
    const dead = known.filter((lab) => !running.includes(lab));
    await Promise.all(dead.map((lab) => removeRemains(labPaths(root, lab))));
    return dead;
  });
}
