import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LabError } from '../../model/lab-error.ts';
import type { LabSpec, LabStatus, PodStatus } from '../lab-client.ts';
import { labsInNamespaces } from '../connect.ts';
import { composePaths } from '../state-folder.ts';
import { ComposeLabClient } from './compose-client.ts';
import { composeFile } from './compose-file.ts';
import { tryDocker } from './docker.ts';
import { labsWithRemains } from './holdings.ts';
import { LABELS } from './labels.ts';
import { freePodNetworks } from './pod-networks.ts';
import type { Images } from './workload-service.ts';

const READY_DEADLINE_MS = 30_000; // a pod that is not ready by then, from the start on, is reported as it is
const READY_LEAST_MS = 5_000; // however long the containers took to start
const SETTLED_MS = 500; // a container is made in less
const LEAST_ENGINE = 25; // the first whose health checks can be quick while a container starts
const LEAST_COMPOSE = [2, 23] as const; // the first that puts texts of the compose file into files

/**
 * Starts a lab in containers. Returns when every pod is ready. If it fails or `signal` aborts, what was started is removed.
 * @throws LabError usage: name in use, manifests invalid; environment: no Docker, no image, no NFQUEUE.
 */
export async function startInContainers(
  spec: LabSpec,
  images: Images,
  { onProgress, signal }: { readonly onProgress: (text: string) => void; readonly signal?: AbortSignal | undefined },
): Promise<LabStatus> {
  const { warnings } = await composeFile(spec, images); // what is wrong with the manifests is said first
  if ((await labsInNamespaces()).includes(spec.name)) {
    throw new LabError('usage', `lab ${spec.name} runs already: end it by "netpol-lab down ${spec.name}", or choose --name`);
  }
  await requireDocker();
  if ((await labsWithRemains()).includes(spec.name)) {
    throw new LabError(
      'usage',
      `Docker has a lab ${spec.name} already: end it by "netpol-lab down ${spec.name}", or choose --name`,
    );
  }
  const { text } = await composeFile(spec, images, await freePodNetworks(spec.external));
  const { compose: file } = await composePaths(spec.name);
  await writeFile(file, text, { mode: 0o600 });
  const client = new ComposeLabClient(spec.name);
  try {
    onProgress('starting containers');
    const deadline = performance.now() + READY_DEADLINE_MS;
    await composeUp(spec.name, file, { onLine: onProgress, ...(signal ? { signal } : {}) });
    const status = await readyStatus(client, Math.max(deadline, performance.now() + READY_LEAST_MS), onProgress);
    return { ...status, warnings: [...new Set([...warnings, ...status.warnings])] };
  } catch (error) {
    // Docker finishes what Compose has asked it for, also after Compose has ended.
    do {
      await client.stop();
      await delay(SETTLED_MS);
    } while ((await labsWithRemains()).includes(spec.name));
    throw error;
  }
}

/** Not by --wait: a container that has ended at once is its pod's affair, and readiness is the control plane's. */
async function composeUp(
  name: string,
  file: string,
  options: { readonly onLine: (line: string) => void; readonly signal?: AbortSignal },
): Promise<void> {
  const args = ['compose', '--progress', 'plain', '--file', file, 'up', '--detach', '--quiet-pull'];
  const { exit, stderr } = await tryDocker(args, options);
  if (exit === 0) return;
  if (stderr.includes('overlaps')) {
    throw new LabError(
      'environment',
      "the pods' network has just been taken by another one of Docker, of a lab perhaps: try again",
    );
  }
  throw new LabError('environment', `lab ${name} did not start: ${await complaints(name, stderr)}`);
}

/** What the containers that failed have said, or else Compose. */
async function complaints(name: string, stderr: string): Promise<string> {
  const { stdout } = await tryDocker([
    ...['ps', '--all', '--filter', `label=${LABELS.lab}=${name}`, '--filter', 'status=exited', '--filter', 'status=restarting'],
    ...['--format', '{{.ID}}'],
  ]);
  const ids = stdout.split('\n').filter((id) => id !== '');
  const logs = await Promise.all(ids.map((id) => tryDocker(['logs', '--tail', '5', id])));
  const said = logs.flatMap(({ stderr: words }) => words.split('\n')).filter((line) => line.trim() !== '');
  return [...new Set(said.length > 0 ? said : [stderr.trim().split('\n').at(-1) ?? ''])].join('\n');
}

async function readyStatus(
  client: ComposeLabClient,
  deadline: number,
  onProgress: (text: string) => void,
): Promise<LabStatus> {
  for (;;) {
    const status = await client.status();
    const waiting = status.pods.filter(isStarting);
    if (waiting.length === 0 || performance.now() > deadline) return status;
    onProgress(`${waiting.length} pods are starting`);
    await delay(50);
  }
}

function isStarting({ ready, phase, message }: PodStatus): boolean {
  return !ready && message === '' && (phase === 'Pending' || phase === 'Running');
}

/** @throws LabError environment that says what is missing. */
async function requireDocker(): Promise<void> {
  const [engine, compose] = await Promise.all([
    tryDocker(['version', '--format', '{{.Server.Version}}']),
    tryDocker(['compose', 'version', '--short']),
  ]);
  if (engine.exit !== 0) {
    throw new LabError('environment', `Docker does not answer; is it started? It says: ${engine.stderr.trim()}`);
  }
  const [engineMajor = 0] = numbersOf(engine.stdout);
  const [major = 0, minor = 0] = numbersOf(compose.stdout);
  const [leastMajor, leastMinor] = LEAST_COMPOSE;
  const isOld = major < leastMajor || (major === leastMajor && minor < leastMinor);
  if (engineMajor < LEAST_ENGINE || compose.exit !== 0 || isOld) {
    throw new LabError(
      'environment',
      `labs in containers need Docker ${LEAST_ENGINE} and Compose ${LEAST_COMPOSE.join('.')} or newer; ` +
        `here are Docker ${engine.stdout.trim()} and ${compose.exit === 0 ? `Compose ${compose.stdout.trim()}` : 'no Compose'}`,
    );
  }
  const image = await tryDocker(['image', 'inspect', 'netpol-lab']);
  if (image.exit !== 0) {
    throw new LabError(
      'environment',
      'the image netpol-lab is missing: "docker build -t netpol-lab ." in a clone of netpol-lab makes it',
    );
  }
}

function numbersOf(version: string): number[] {
  return version.trim().replace(/^v/, '').split('.').map(Number);
}
