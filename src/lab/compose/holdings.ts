import { setTimeout as delay } from 'node:timers/promises';
import { docker, tryDocker } from './docker.ts';
import { LABELS } from './labels.ts';

// What Docker holds for labs. Everything of a lab has its label; nothing else is ever touched.

/** Names of the labs that have running containers, sorted; none where Docker does not answer. */
export async function labsInContainers(): Promise<string[]> {
  const found = await tryDocker(['ps', ...OF_LABS, '--format', `{{.Label "${LABELS.lab}"}}`]).catch(() => undefined);
  return found?.exit === 0 ? names(found.stdout) : [];
}

/** Names of the labs that Docker holds anything of: containers that have ended too, networks, volumes. */
export async function labsWithRemains(): Promise<string[]> {
  const lists = await Promise.all(
    KINDS.map(({ list }) => tryDocker([...list, ...OF_LABS, '--format', `{{.Label "${LABELS.lab}"}}`])),
  ).catch(() => []);
  return names(lists.map(({ stdout }) => stdout).join('\n'));
}

/** The running containers of a lab (ids), by their services. @throws LabError environment if Docker does not answer. */
export async function containersOf(lab: string): Promise<ReadonlyMap<string, string>> {
  const format = '{{.Label "com.docker.compose.service"}} {{.ID}}';
  const lines = await docker(['ps', '--filter', `label=${LABELS.lab}=${lab}`, '--format', format]);
  return new Map(
    lines.split('\n').map((line): [string, string] => {
      const [service = '', id = ''] = line.split(' ');
      return [service, id];
    }),
  );
}

/**
 * Removes a lab's containers, networks and volumes. A start that was killed may still be making some, so what cannot be
 * removed is tried again. @throws LabError environment if Docker does not remove them within some seconds.
 */
export async function removeHoldings(lab: string): Promise<void> {
  const deadline = performance.now() + REMOVAL_MS;
  for (;;) {
    try {
      await removeOnce(lab);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(PAUSE_MS);
    }
  }
}

async function removeOnce(lab: string): Promise<void> {
  for (const { list, remove } of KINDS) {
    const ids = await docker([...list, '--quiet', '--filter', `label=${LABELS.lab}=${lab}`]);
    if (ids !== '') await docker([...remove, ...ids.split('\n')]);
  }
}

const REMOVAL_MS = 5_000; // Docker finishes in less what it was asked for
const PAUSE_MS = 200;

const OF_LABS = ['--filter', `label=${LABELS.lab}`];

// In the order in which they can be removed.
const KINDS = [
  { list: ['ps', '--all'], remove: ['rm', '--force', '--volumes'] },
  { list: ['network', 'ls'], remove: ['network', 'rm'] },
  { list: ['volume', 'ls'], remove: ['volume', 'rm', '--force'] },
];

function names(text: string): string[] {
  return [...new Set(text.split('\n').filter((line) => line !== ''))].sort();
}
