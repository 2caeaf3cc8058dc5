import { lstat, mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LabError } from '../model/lab-error.ts';

/** Files of one lab. `folder` holds all the others; it is the lab's label on disk. */
export interface LabPaths {
  readonly folder: string;
  readonly socket: string;
  readonly record: string;
  readonly log: string;
  /** The folder of the log of its objects. */
  readonly objects: string;
}

/** What is known of a lab's process. `startTicks` tells it from a later process with the same pid. */
export interface LabRecord {
  readonly name: string;
  readonly launcherPid: number;
  readonly startTicks: string;
}

// A name is part of a socket's path, which Linux limits to 108 bytes, and of interface-like labels.
const LAB_NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

/** The paths of the lab of that name. @throws LabError usage if it is no name. */
export function labPaths(root: string, name: string): LabPaths {
  if (!LAB_NAME.test(name)) {
    throw new LabError('usage', `"${name}" is no name for a lab: use a-z, 0-9 and -, at most 40 characters`);
  }
  const folder = join(root, name);
  return {
    folder,
    socket: join(folder, 'control.sock'),
    record: join(folder, 'lab.json'),
    log: join(folder, 'lab.log'),
    objects: join(folder, 'objects'),
  };
}

/**
 * The folder that holds a folder for each lab of this user, made if missing, closed to others.
 * It is in XDG_RUNTIME_DIR where that is the user's own, else in the system's temporary folder.
 * @throws LabError environment if somebody else owns it.
 */
export async function stateFolder(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const runtime = process.env.XDG_RUNTIME_DIR;
  const own = runtime !== undefined && (await ownerOf(runtime)) === uid;
  const folder = own ? join(runtime, 'netpol-lab') : join(tmpdir(), `netpol-lab-${uid}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const info = await lstat(folder);
  if (!info.isDirectory() || info.uid !== uid || (info.mode & 0o022) !== 0) {
    throw new LabError('environment', `${folder} is not this user's own folder: remove it, or set XDG_RUNTIME_DIR`);
  }
  return folder;
}

/** Files of a lab in containers. Docker itself holds everything else that is known of it. */
export interface ComposePaths {
  readonly compose: string;
  readonly kubeconfig: string;
}

/** The paths of a lab in containers, in a folder of theirs, made if missing. @throws LabError usage if the name is none. */
export async function composePaths(name: string): Promise<ComposePaths> {
  const root = await stateFolder();
  labPaths(root, name); // checks the name
  const folder = join(root, COMPOSE_FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return { compose: join(folder, `${name}.yaml`), kubeconfig: join(folder, `${name}.kubeconfig`) };
}

/** Removes what `composePaths` named, and their folder with the last of them. */
export async function removeComposeFiles(name: string): Promise<void> {
  const { compose, kubeconfig } = await composePaths(name);
  await Promise.all([compose, kubeconfig].map((file) => rm(file, { force: true })));
  await rmdir(dirname(compose)).catch(() => undefined); // other labs have files there
}

/** Names of the labs in containers that this user has started. */
export async function composeLabs(): Promise<string[]> {
  const files = await readdir(join(await stateFolder(), COMPOSE_FOLDER)).catch(() => []);
  return files.flatMap((file) => (file.endsWith('.yaml') ? file.slice(0, -'.yaml'.length) : []));
}

const COMPOSE_FOLDER = '.compose'; // no lab can have this name

async function ownerOf(path: string): Promise<number | undefined> {
  return lstat(path).then(
    (info) => info.uid,
    () => undefined,
  );
}

/** The record of a lab. @returns undefined if there is none, or it cannot be read. */
export async function readRecord(paths: LabPaths): Promise<LabRecord | undefined> {
  try {
    return JSON.parse(await readFile(paths.record, 'utf8')) as LabRecord;
  } catch {
    return undefined;
  }
}

/** Writes the record of a lab. Whoever reads meanwhile finds the whole record or none: one found halfway reads as a crashed lab. */
export async function writeRecord(paths: LabPaths, record: LabRecord): Promise<void> {
  const unfinished = `${paths.record}.new`;
  await writeFile(unfinished, JSON.stringify(record), { mode: 0o600 });
  await rename(unfinished, paths.record);
}

/** Whether the lab's process lives. */
export function isAlive(record: LabRecord): boolean {
  return startTicks(record.launcherPid) === record.startTicks;
}

/** When a process started, in clock ticks since boot. @returns undefined if there is no such process. Source: proc(5), stat field 22. */
export function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Names of labs that have a folder, running or not. */
export async function knownLabs(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && LAB_NAME.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

/** Removes what a lab that no longer runs has left on disk. Its namespaces and processes went with its process. */
export async function removeRemains(paths: LabPaths): Promise<void> {
  await rm(paths.folder, { recursive: true, force: true });
}

/** Removes what a lab that no longer runs has left on disk, but for its record and the log of its objects. */
export async function removeAllButObjects(paths: LabPaths): Promise<void> {
  const kept = [paths.objects, paths.record];
  const entries = await readdir(paths.folder).catch(() => []);
  const gone = entries.map((entry) => join(paths.folder, entry)).filter((path) => !kept.includes(path));
  await Promise.all(gone.map((path) => rm(path, { recursive: true, force: true })));
}
